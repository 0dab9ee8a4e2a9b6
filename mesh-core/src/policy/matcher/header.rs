//! Conditions on a header, in both dialects' reading (gRFC A28; Envoy's `HeaderMatcher`).

use http::{HeaderMap, HeaderName, HeaderValue, header};
use smallvec::SmallVec;

use super::{grpc::GRPC, lookup::Lookups, string};
use crate::{
    config::{HeaderLines, HeaderMatch, HeaderMatchKind, HeaderSource, MatchRules},
    policy::head::RequestHead,
};

/// Lines joined up to this length are joined without an allocation.
const JOINED_INLINE: usize = 512;

/// Whether the request satisfies `condition`.
///
/// A missing header satisfies no condition on a value, inverted or not, unless it is to be read as
/// an empty one. Nothing is allocated, except to join several long lines of one header.
#[must_use]
pub fn matches(condition: &HeaderMatch, head: &RequestHead<'_>, rules: MatchRules) -> bool {
    holds(condition, head, &Lookups::new(head.headers), rules)
}

/// The same for one of several conditions, which share what they look up.
pub(crate) fn holds<'a>(
    condition: &'a HeaderMatch,
    head: &RequestHead<'a>,
    lookups: &Lookups<'a>,
    rules: MatchRules,
) -> bool {
    let value = match Value::read(&condition.source, head, lookups, rules) {
        None if condition.missing_as_empty => Some(Value::One(b"")),
        value => value,
    };
    let holds = match (&condition.kind, value) {
        (HeaderMatchKind::Present(wanted), value) => value.is_some() == *wanted,
        (_, None) => return false,
        (HeaderMatchKind::Text(text), Some(value)) => {
            value.any(rules.lines, |value| string::matches(text, value))
        }
        (HeaderMatchKind::Range(range), Some(value)) => value.any(rules.lines, |value| {
            integer(value).is_some_and(|number| range.contains(&number))
        }),
    };
    holds != condition.invert
}

/// The header without which `condition` does not hold, if there is one.
pub(crate) fn needed(condition: &HeaderMatch, rules: MatchRules) -> Option<&HeaderName> {
    let HeaderSource::Header(name) = &condition.source else {
        return None;
    };
    let needed = match condition.kind {
        HeaderMatchKind::Present(wanted) => wanted != condition.invert,
        HeaderMatchKind::Text(_) | HeaderMatchKind::Range(_) => true,
    };
    let shown =
        condition.missing_as_empty || rules.grpc_content_type && name == header::CONTENT_TYPE;
    (needed && !shown).then_some(name)
}

/// What stands in a header.
#[derive(Clone, Copy)]
enum Value<'a> {
    One(&'a [u8]),
    /// Two lines or more.
    Lines(&'a HeaderMap, &'a HeaderName),
}

impl<'a> Value<'a> {
    /// The value at `source`; `None` when it is missing. Of a pseudo header, nothing is missing.
    fn read(
        source: &'a HeaderSource,
        head: &RequestHead<'a>,
        lookups: &Lookups<'a>,
        rules: MatchRules,
    ) -> Option<Self> {
        let text = match source {
            HeaderSource::Header(name)
                if rules.grpc_content_type && name == header::CONTENT_TYPE =>
            {
                return Some(Self::One(GRPC));
            }
            HeaderSource::Header(name) => {
                let line = lookups.line(name)?;
                return Some(if line.only {
                    Self::One(line.value.as_bytes())
                } else {
                    Self::Lines(head.headers, name)
                });
            }
            HeaderSource::Method => head.method.as_str(),
            HeaderSource::Scheme => head.scheme(),
            HeaderSource::Authority => head.authority,
            HeaderSource::Path => head.path_and_query,
            HeaderSource::Hidden(_) => "",
        };
        (!text.is_empty()).then_some(Self::One(text.as_bytes()))
    }

    /// Whether the value, by the dialect's reading of several lines, passes `test`.
    fn any(self, reading: HeaderLines, test: impl Fn(&[u8]) -> bool) -> bool {
        match self {
            Self::One(value) => test(value),
            Self::Lines(headers, name) => any_line(headers, name, reading, &test),
        }
    }
}

/// Apart, so that the common case does not make room for lines to be joined.
#[cold]
fn any_line(
    headers: &HeaderMap,
    name: &HeaderName,
    reading: HeaderLines,
    test: &dyn Fn(&[u8]) -> bool,
) -> bool {
    let lines = headers.get_all(name).iter();
    let mut lines = lines.map(HeaderValue::as_bytes);
    match reading {
        HeaderLines::Each => lines.any(test),
        HeaderLines::Joined => {
            let mut joined = SmallVec::<[u8; JOINED_INLINE]>::new();
            for (i, line) in lines.enumerate() {
                if i > 0 {
                    joined.push(b',');
                }
                joined.extend_from_slice(line);
            }
            test(&joined)
        }
    }
}

/// A decimal integer, which may have a sign and white space around it, as Envoy's parser has it.
pub(crate) fn integer<N: std::str::FromStr>(text: &[u8]) -> Option<N> {
    str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
