//! Conditions on a header, in both dialects' reading (gRFC A28; Envoy's `HeaderMatcher`).

use http::{HeaderValue, header, header::GetAll};
use smallvec::SmallVec;

use super::{grpc::GRPC, string};
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
    let value = match Value::read(&condition.source, head, rules) {
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

/// What stands in a header.
enum Value<'a> {
    One(&'a [u8]),
    /// Two lines or more.
    Lines(GetAll<'a, HeaderValue>),
}

impl<'a> Value<'a> {
    /// The value at `source`; `None` when it is missing. Of a pseudo header, nothing is missing.
    fn read(source: &HeaderSource, head: &RequestHead<'a>, rules: MatchRules) -> Option<Self> {
        let text = match source {
            HeaderSource::Method => head.method.as_str(),
            HeaderSource::Scheme => head.scheme,
            HeaderSource::Authority => head.authority,
            HeaderSource::Path => head.path_and_query,
            HeaderSource::Hidden(_) => "",
            HeaderSource::Header(name)
                if rules.grpc_content_type && name == header::CONTENT_TYPE =>
            {
                return Some(Self::One(GRPC));
            }
            HeaderSource::Header(name) => {
                let lines = head.headers.get_all(name);
                let mut each = lines.iter();
                let first = each.next()?;
                return Some(match each.next() {
                    None => Self::One(first.as_bytes()),
                    Some(_) => Self::Lines(lines),
                });
            }
        };
        (!text.is_empty()).then_some(Self::One(text.as_bytes()))
    }

    /// Whether the value, by the dialect's reading of several lines, passes `test`.
    fn any(self, reading: HeaderLines, test: impl Fn(&[u8]) -> bool) -> bool {
        match (self, reading) {
            (Self::One(value), _) => test(value),
            (Self::Lines(lines), HeaderLines::Each) => {
                lines.iter().any(|line| test(line.as_bytes()))
            }
            (Self::Lines(lines), HeaderLines::Joined) => {
                let mut joined = SmallVec::<[u8; JOINED_INLINE]>::new();
                for (i, line) in lines.iter().enumerate() {
                    if i > 0 {
                        joined.push(b',');
                    }
                    joined.extend_from_slice(line.as_bytes());
                }
                test(&joined)
            }
        }
    }
}

/// A decimal integer, which may have a sign and white space around it, as Envoy's parser has it.
pub(crate) fn integer<N: std::str::FromStr>(text: &[u8]) -> Option<N> {
    str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
