//! Conditions in words.

use std::fmt::{self, Display};

use crate::config::{
    DomainPattern, HeaderMatch, HeaderMatchKind, HeaderSource, PathMatch, QueryMatch,
    QueryMatchKind, RouteMatch, StringMatch, StringMatchKind,
};

/// A domain as Envoy writes it.
pub(super) fn domain(pattern: &DomainPattern) -> String {
    match pattern {
        DomainPattern::Exact(name) => name.to_string(),
        DomainPattern::Suffix(name) => format!("*{name}"),
        DomainPattern::Prefix(name) => format!("{name}*"),
        DomainPattern::Any => "*".to_owned(),
    }
}

/// What a route wants of the path.
pub(super) fn path(route: &RouteMatch) -> String {
    let case = if route.case_sensitive {
        ""
    } else {
        " in any case"
    };
    match &route.path {
        PathMatch::Prefix(want) => format!("wants the path to begin with {want:?}{case}"),
        PathMatch::Exact(want) => format!("wants the path to be {want:?}{case}"),
        PathMatch::PathSeparatedPrefix(want) => {
            format!("wants the path to be {want:?} or below it{case}")
        }
        PathMatch::Regex(want) => format!("wants the path to match {:?}", want.source()),
    }
}

/// What a condition wants of a header.
pub(super) fn header(condition: &HeaderMatch) -> String {
    let name = match &condition.source {
        HeaderSource::Method => ":method",
        HeaderSource::Scheme => ":scheme",
        HeaderSource::Authority => ":authority",
        HeaderSource::Path => ":path",
        HeaderSource::Header(name) => name.as_str(),
        HeaderSource::Hidden(name) => name,
    };
    let not = if condition.invert { "not " } else { "" };
    let kind: &dyn Display = match &condition.kind {
        HeaderMatchKind::Present(true) => &"to be there",
        HeaderMatchKind::Present(false) => &"to be missing",
        HeaderMatchKind::Text(text) => &Text(text),
        HeaderMatchKind::Range(range) => &format!("to be in {}..{}", range.start, range.end),
    };
    let hidden = match &condition.source {
        HeaderSource::Hidden(_) => ", which no matcher may see",
        _ => "",
    };
    format!("wants header {name} {not}{kind}{hidden}")
}

/// What a condition wants of a query parameter.
pub(super) fn query(condition: &QueryMatch) -> String {
    let kind: &dyn Display = match &condition.kind {
        QueryMatchKind::Present(true) => &"to be there",
        QueryMatchKind::Present(false) => &"to be missing",
        QueryMatchKind::Text(text) => &Text(text),
    };
    format!("wants query parameter {:?} {kind}", condition.name)
}

struct Text<'a>(&'a StringMatch);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            StringMatchKind::Exact(want) => write!(f, "to be {want:?}")?,
            StringMatchKind::Prefix(want) => write!(f, "to begin with {want:?}")?,
            StringMatchKind::Suffix(want) => write!(f, "to end with {want:?}")?,
            StringMatchKind::Contains(want) => write!(f, "to contain {want:?}")?,
            StringMatchKind::Regex(want) => return write!(f, "to match {:?}", want.source()),
        }
        f.write_str(if self.0.ignore_case {
            " in any case"
        } else {
            ""
        })
    }
}
