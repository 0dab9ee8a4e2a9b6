//! Looking up one request's headers for many conditions.

use std::cell::Cell;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::entropy::mix;

/// The headers of a request. The last answer is remembered: routes that stand in a row often ask
/// for one header.
#[derive(Debug)]
pub(crate) struct Lookups<'a> {
    headers: &'a HeaderMap,
    last: Cell<Option<(&'a HeaderName, Option<Line<'a>>)>>,
}

/// A line of a header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) value: &'a HeaderValue,
    /// Whether the header has no other.
    pub(super) only: bool,
}

/// A set of header names that can hold others too: two bits for each, which names can share (Bloom's
/// filter, 1970). What it lacks is surely not there, and costs an instruction to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names(u64);

impl<'a> Lookups<'a> {
    pub(crate) const fn new(headers: &'a HeaderMap) -> Self {
        Self {
            headers,
            last: Cell::new(None),
        }
    }

    /// The first line of the header `name`.
    #[inline]
    pub(super) fn line(&self, name: &'a HeaderName) -> Option<Line<'a>> {
        match self.last.get() {
            Some((last, line)) if last == name => line,
            _ => {
                let line = self.look_up(name);
                self.last.set(Some((name, line)));
                line
            }
        }
    }

    fn look_up(&self, name: &HeaderName) -> Option<Line<'a>> {
        // No header of most requests has two lines, and then there is less to find out.
        if self.headers.len() == self.headers.keys_len() {
            let value = self.headers.get(name)?;
            return Some(Line { value, only: true });
        }
        let mut lines = self.headers.get_all(name).iter();
        let value = lines.next()?;
        let only = lines.next().is_none();
        Some(Line { value, only })
    }
}

impl Names {
    /// The empty set.
    pub(crate) const NONE: Self = Self(0);

    /// Those of these headers.
    #[cold]
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        headers.keys().collect()
    }

    /// Whether it surely has nothing in it.
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether surely one of `names` is not in it.
    pub(crate) const fn lacks(self, names: Self) -> bool {
        names.0 & !self.0 != 0
    }

    /// The bits of a name: by its length and its ends, in which names differ most.
    fn bits(name: &HeaderName) -> u64 {
        let text = name.as_str().as_bytes();
        let (Some(first), Some(last)) = (text.first(), text.last()) else {
            return 1;
        };
        let ends = u64::from(*first) << 8 | u64::from(*last);
        let hash = mix((text.len() as u64) << 16 | ends);
        1 << (hash % 64) | 1 << (hash / 64 % 64)
    }
}

impl<'a> FromIterator<&'a HeaderName> for Names {
    fn from_iter<I: IntoIterator<Item = &'a HeaderName>>(names: I) -> Self {
        let names = names.into_iter();
        Self(names.fold(0, |names, name| names | Self::bits(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 8] = ["a", "b", "x-1", "x-2", "y-1", "content-type", "te", "none"];

    fn names() -> Vec<HeaderName> {
        KNOWN.map(HeaderName::from_static).into()
    }

    #[test]
    fn whatever_was_looked_up_before_the_answer_is_the_same() {
        let names = names();
        let mut headers = HeaderMap::new();
        for (name, value) in [(0, "1"), (2, "2"), (2, "3"), (5, "4")] {
            headers.append(&names[name], HeaderValue::from_static(value));
        }
        let expected = |name| {
            let only = headers.get_all(name).iter().count() == 1;
            headers.get(name).map(|value| (value, only))
        };
        for step in 1..names.len() {
            let lookups = Lookups::new(&headers);
            // Each name twice in a row, in an order that the step gives.
            for turn in 0..4 * names.len() {
                let name = &names[turn / 2 * step % names.len()];
                let found = lookups.line(name).map(|line| (line.value, line.only));
                assert_eq!(found, expected(name), "{name} at turn {turn}");
            }
        }
    }

    #[test]
    fn no_name_is_missed() {
        let names = names();
        let all: Names = names.iter().collect();
        for name in &names {
            let one: Names = [name].into_iter().collect();
            assert!(!all.lacks(one) && !one.is_empty());
            assert!(Names::NONE.lacks(one));
        }
        assert!(!all.lacks(Names::NONE) && Names::NONE.is_empty());
    }

    #[test]
    fn names_of_a_kind_are_mostly_told_apart() {
        let name = |i| HeaderName::try_from(format!("x-canary-{i}")).unwrap();
        let headers = ["te", "content-type", "user-agent", "x-user", "x-request-id"];
        let headers = headers.map(HeaderName::from_static);
        let names: Names = headers.iter().collect();
        let lacked = (0..10).filter(|i| names.lacks([&name(*i)].into_iter().collect()));
        assert!(lacked.count() >= 9);
    }
}
