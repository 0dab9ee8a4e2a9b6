//! Conditions on headers and parameters, and what meets them, or nearly.

use mesh_proto::envoy::{
    config::route::v3::{
        HeaderMatcher, QueryParameterMatcher, header_matcher::HeaderMatchSpecifier as Header,
        query_parameter_matcher::QueryParameterMatchSpecifier as Query,
    },
    r#type::{
        matcher::v3::{StringMatcher, string_matcher::MatchPattern},
        v3::Int64Range,
    },
};
use mesh_testkit::Seeded;

use super::{path::regex, word};

/// Headers that conditions are on, and requests have.
pub(super) const HEADERS: [&str; 3] = ["x-a", "x-b", "x-c"];
/// Those too, which every request has.
const OTHERS: [&str; 7] = [
    ":method",
    ":path",
    ":authority",
    ":scheme",
    "host",
    "content-type",
    "X-A",
];
/// Parameters.
pub(super) const PARAMETERS: [&str; 4] = ["k", "j", "K", "kk"];

const WORDS: [&str; 12] = [
    "a", "b", "ab", "A", "aB", "a,b", "a b", "5", "9", "/a", "GET", "%61",
];
const NUMBERS: [&str; 14] = [
    "0",
    "5",
    "9",
    "10",
    "-3",
    "04",
    "+4",
    "4.0",
    "1e0",
    "4a",
    "",
    "9223372036854775807",
    "9223372036854775808",
    "- 3",
];
const REGEXES: [&str; 10] = [
    "a.*", "[ab]+", "a|b", ".*b", "()", "\\d+", "(?i)ab", "a,b", ".+", "^a$",
];

/// A condition on a header.
pub(super) fn header(random: &mut Seeded) -> HeaderMatcher {
    let name = if random.percent(80) {
        word(random, &HEADERS)
    } else {
        word(random, &OTHERS)
    };
    let some = word(random, &WORDS).to_owned();
    let how = match random.in_range(0..100) {
        0..45 => Some(Header::StringMatch(text(random))),
        45..57 => Some(Header::RangeMatch(range(random))),
        57..69 => Some(Header::PresentMatch(random.percent(60))),
        69..74 => None,
        74..80 => Some(Header::ExactMatch(value(random))),
        80..85 => Some(Header::PrefixMatch(some)),
        85..90 => Some(Header::SuffixMatch(some)),
        90..95 => Some(Header::ContainsMatch(some)),
        _ => Some(Header::SafeRegexMatch(regex(word(random, &REGEXES)))),
    };
    HeaderMatcher {
        name: name.to_owned(),
        invert_match: random.percent(30),
        treat_missing_header_as_empty: random.percent(25),
        header_match_specifier: how,
    }
}

/// A condition on a parameter.
pub(super) fn parameter(random: &mut Seeded) -> QueryParameterMatcher {
    QueryParameterMatcher {
        name: word(random, &PARAMETERS).to_owned(),
        query_parameter_match_specifier: match random.in_range(0..10) {
            0..6 => Some(Query::StringMatch(text(random))),
            6..9 => Some(Query::PresentMatch(random.percent(60))),
            _ => None,
        },
    }
}

fn text(random: &mut Seeded) -> StringMatcher {
    let some = word(random, &WORDS).to_owned();
    let pattern = match random.in_range(0..10) {
        0..3 => MatchPattern::Exact(value(random)),
        3..5 => MatchPattern::Prefix(some),
        5..7 => MatchPattern::Suffix(some),
        7..8 => MatchPattern::Contains(some),
        _ => MatchPattern::SafeRegex(regex(word(random, &REGEXES))),
    };
    // Of regular expressions it is not asked.
    let may_ignore = !matches!(pattern, MatchPattern::SafeRegex(_));
    StringMatcher {
        match_pattern: Some(pattern),
        ignore_case: may_ignore && random.percent(30),
    }
}

fn range(random: &mut Seeded) -> Int64Range {
    let bounds = [-10, -3, 0, 4, 5, 9, 10, i64::MAX];
    let (one, other) = (*random.pick(&bounds), *random.pick(&bounds));
    Int64Range {
        start: one.min(other),
        end: one.max(other),
    }
}

/// Any value.
pub(super) fn value(random: &mut Seeded) -> String {
    if random.percent(8) {
        return String::new();
    }
    word(random, &WORDS).to_owned()
}

/// A header that meets a condition, or nearly.
pub(super) fn for_header(random: &mut Seeded, condition: &HeaderMatcher) -> Option<String> {
    Some(match condition.header_match_specifier.as_ref() {
        Some(Header::StringMatch(matcher)) => for_text(random, matcher),
        Some(Header::ExactMatch(text)) => text.clone(),
        Some(Header::PrefixMatch(text)) => format!("{text}{}", value(random)),
        Some(Header::SuffixMatch(text)) => format!("{}{text}", value(random)),
        Some(Header::ContainsMatch(text)) => format!("b{text}{}", value(random)),
        Some(Header::RangeMatch(range)) => match random.in_range(0..6) {
            0 => range.start.to_string(),
            1 => range.end.to_string(),
            2 => range.end.saturating_sub(1).to_string(),
            3 => format!("0{}", range.start.unsigned_abs()),
            _ => word(random, &NUMBERS).to_owned(),
        },
        Some(Header::PresentMatch(false)) => return None,
        _ => value(random),
    })
}

/// A parameter's value that meets a condition, or nearly; `None` for none at all, not even `=`.
pub(super) fn for_parameter(
    random: &mut Seeded,
    condition: &QueryParameterMatcher,
) -> Option<String> {
    Some(match condition.query_parameter_match_specifier.as_ref() {
        Some(Query::StringMatch(matcher)) => for_text(random, matcher),
        _ if random.percent(40) => return None,
        _ => value(random),
    })
}

fn for_text(random: &mut Seeded, matcher: &StringMatcher) -> String {
    let mut text = match matcher.match_pattern.as_ref() {
        Some(MatchPattern::Exact(text)) => text.clone(),
        Some(MatchPattern::Prefix(text)) => format!("{text}{}", value(random)),
        Some(MatchPattern::Suffix(text)) => format!("{}{text}", value(random)),
        Some(MatchPattern::Contains(text)) => format!("b{text}{}", value(random)),
        _ => value(random),
    };
    if random.percent(if matcher.ignore_case { 50 } else { 10 }) {
        text.make_ascii_uppercase();
    }
    text
}
