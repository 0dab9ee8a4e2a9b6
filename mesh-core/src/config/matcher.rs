//! What a route asks of a request before it takes it.

use std::{ops::Range, sync::Arc};

use http::HeaderName;
use serde::Serialize;

use super::{Dialect, Pattern};

/// The conditions of one route; all must hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RouteMatch {
    /// What the path, without its query, must be.
    pub path: PathMatch,
    /// Whether letters of the path must agree in case. Does not concern regexes, headers, queries.
    pub case_sensitive: bool,
    /// Every one must hold.
    pub headers: Vec<HeaderMatch>,
    /// Every one must hold.
    pub query: Vec<QueryMatch>,
    /// Only gRPC requests: content-type `application/grpc` or `application/grpc+...`.
    pub grpc: bool,
    /// Only this share of the requests that satisfy everything else.
    pub fraction: Option<Fraction>,
}

impl RouteMatch {
    /// Takes every request whose path satisfies `path`.
    #[must_use]
    pub const fn path(path: PathMatch) -> Self {
        Self {
            path,
            case_sensitive: true,
            headers: Vec::new(),
            query: Vec::new(),
            grpc: false,
            fraction: None,
        }
    }

    /// Takes every request whose path begins with `prefix`.
    pub fn prefix(prefix: impl Into<Arc<str>>) -> Self {
        Self::path(PathMatch::Prefix(prefix.into()))
    }
}

/// A condition on the path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum PathMatch {
    /// Begins with this text, with no regard to segments; empty takes every path.
    Prefix(Arc<str>),
    /// Is this text.
    Exact(Arc<str>),
    /// Is this text, or goes on with a slash behind it.
    PathSeparatedPrefix(Arc<str>),
    /// Matches as a whole.
    Regex(Pattern),
}

/// A condition on a header.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct HeaderMatch {
    /// Where the value comes from.
    pub source: HeaderSource,
    /// What must be true of it.
    pub kind: HeaderMatchKind,
    /// Turns the answer of `kind` round. A missing header still does not satisfy a condition on a
    /// value, inverted or not.
    pub invert: bool,
    /// Reads a missing header as an empty one.
    pub missing_as_empty: bool,
}

/// Where a header matcher reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum HeaderSource {
    /// `:method`.
    Method,
    /// `:scheme`.
    Scheme,
    /// `:authority`, also under the name `host`.
    Authority,
    /// `:path`, with the query.
    Path,
    /// An ordinary header.
    Header(#[serde(serialize_with = "as_text")] HeaderName),
    /// A header that this dialect never shows (gRPC hides `-bin` headers and pseudo headers):
    /// always missing.
    Hidden(Arc<str>),
}

/// A condition on a header's value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum HeaderMatchKind {
    /// The header is there (`true`) or is not (`false`).
    Present(bool),
    /// The value satisfies a text condition.
    Text(StringMatch),
    /// The value is a decimal integer inside the half-open range.
    Range(Range<i64>),
}

/// A condition on a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct StringMatch {
    /// What the text must be.
    pub kind: StringMatchKind,
    /// Compares ASCII letters without their case. Does not concern regexes.
    pub ignore_case: bool,
}

/// The ways in which a text can satisfy a condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum StringMatchKind {
    /// Is this.
    Exact(Arc<str>),
    /// Begins with this.
    Prefix(Arc<str>),
    /// Ends with this.
    Suffix(Arc<str>),
    /// Has this in it.
    Contains(Arc<str>),
    /// Matches this as a whole.
    Regex(Pattern),
}

/// A condition on a query parameter, of which only the first of its name counts; nothing is
/// percent-decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueryMatch {
    /// The parameter's name, compared as written.
    pub name: Arc<str>,
    /// What must be true of it.
    pub kind: QueryMatchKind,
}

/// The ways in which a query parameter can satisfy a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum QueryMatchKind {
    /// It is there (`true`) or is not (`false`).
    Present(bool),
    /// Its value satisfies a text condition.
    Text(StringMatch),
}

/// A share, in millionths; whatever is given above one is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Fraction(u32);

impl Fraction {
    /// The whole.
    pub const ONE: Self = Self(1_000_000);

    /// `numerator` of `denominator`, at most one. A zero `denominator` gives nothing.
    #[must_use]
    pub fn new(numerator: u32, denominator: u32) -> Self {
        let millionths = (u64::from(numerator) * 1_000_000).checked_div(u64::from(denominator));
        Self(
            u32::try_from(millionths.unwrap_or(0))
                .unwrap_or(u32::MAX)
                .min(1_000_000),
        )
    }

    /// The share in millionths, 0 to 1,000,000.
    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Whether a uniform `draw` falls inside the share: 0 never does, 1 always.
    #[must_use]
    pub const fn contains(self, draw: u64) -> bool {
        draw % 1_000_000 < self.0 as u64
    }
}

/// How a header of several lines is shown to a matcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum HeaderLines {
    /// Each line alone; any may satisfy the condition (Envoy since 1.40).
    Each,
    /// All lines joined by commas (gRFC A28).
    Joined,
}

/// What the dialects read differently when a route is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MatchRules {
    /// How several lines of one header are read.
    pub lines: HeaderLines,
    /// Shows every matcher `application/grpc` as the content-type (gRFC A28), whatever is sent.
    pub grpc_content_type: bool,
    /// Draws anew for each route with a fraction; otherwise one draw serves the whole request, as
    /// in Envoy.
    pub draw_per_route: bool,
}

impl MatchRules {
    /// The rules of a dialect.
    #[must_use]
    pub const fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Grpc => Self {
                lines: HeaderLines::Joined,
                grpc_content_type: true,
                draw_per_route: true,
            },
            Dialect::Envoy => Self {
                lines: HeaderLines::Each,
                grpc_content_type: false,
                draw_per_route: false,
            },
        }
    }
}

/// Writes a header name as its text.
pub(super) fn as_text<S: serde::Serializer>(name: &HeaderName, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_at_most_one_and_zero_never_draws() {
        assert_eq!(Fraction::new(250, 100), Fraction::ONE);
        assert_eq!(Fraction::new(1, 0), Fraction::new(0, 1));
        assert_eq!(Fraction::new(1, 10_000).millionths(), 100);
        assert!(!Fraction::new(0, 100).contains(0));
        assert!((0..1_000_000).all(|draw| Fraction::ONE.contains(draw)));
        assert!(Fraction::new(1, 100).contains(9_999) && !Fraction::new(1, 100).contains(10_000));
    }
}
