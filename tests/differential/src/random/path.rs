//! Conditions on paths, and paths near them.

use mesh_proto::envoy::{
    config::route::v3::route_match::PathSpecifier, r#type::matcher::v3::RegexMatcher,
};
use mesh_testkit::Seeded;

use super::word;

const SEGMENTS: [&str; 12] = [
    "a", "a", "b", "b", "ab", "A", "aB", "", "a%2Fb", "%61", ".", "..",
];

const REGEXES: [&str; 22] = [
    "/a",
    "/a.*",
    "/(a|b)/?",
    "/a|/b",
    "/[ab]+",
    "/a/[^/]+",
    "/.*b",
    ".*",
    "(?i)/ab.*",
    "^/a/b$",
    "/a\\.b",
    "/a{1,2}b?",
    "/?",
    "(/a)?",
    "//.*",
    "/[^%]*",
    "/\\w+/\\w+",
    "/a(/b)*",
    "/[a&&b]+",
    "/[[:alpha:]/]*",
    "/\\Qa\\E.*",
    "/[a[b-]+/?",
];

/// A condition on a path.
pub(super) fn condition(random: &mut Seeded) -> PathSpecifier {
    let path = path(random);
    match random.in_range(0..100) {
        0..12 => PathSpecifier::Prefix("/".to_owned()),
        12..15 => PathSpecifier::Prefix(String::new()),
        15..45 => {
            // Anywhere, not just behind a segment.
            let end = random.in_range(1..path.len() as u64 + 1);
            PathSpecifier::Prefix(path.chars().take(end as usize).collect())
        }
        45..68 => PathSpecifier::Path(path),
        68..84 => {
            let path = path.trim_end_matches('/');
            let path = if path.len() < 2 { "/a" } else { path };
            PathSpecifier::PathSeparatedPrefix(path.to_owned())
        }
        _ => PathSpecifier::SafeRegex(regex(word(random, &REGEXES))),
    }
}

/// A path that the condition takes, or nearly.
pub(super) fn near(random: &mut Seeded, condition: Option<&PathSpecifier>) -> String {
    let mut near = match condition {
        Some(
            PathSpecifier::Prefix(text)
            | PathSpecifier::Path(text)
            | PathSpecifier::PathSeparatedPrefix(text),
        ) => text.clone(),
        _ => path(random),
    };
    match random.in_range(0..100) {
        0..45 => {}
        45..55 => near += &path(random),
        55..62 => near += word(random, &SEGMENTS),
        62..67 => near.push('/'),
        67..76 => near = near.to_ascii_uppercase(),
        76..82 => near = near.replacen('a', "%61", 1),
        82..86 => near.insert(0, '/'),
        86..92 => drop(near.pop()),
        92..94 => near += word(random, &[";a", ";a=b/c", ",b", "~", "'", "(a)"]),
        _ => near = path(random),
    }
    if near.starts_with('/') {
        near
    } else {
        format!("/{near}")
    }
}

fn path(random: &mut Seeded) -> String {
    let mut path = String::new();
    for _ in 0..random.in_range(1..4) {
        path.push('/');
        path.push_str(word(random, &SEGMENTS));
    }
    path
}

pub(super) fn regex(regex: &str) -> RegexMatcher {
    RegexMatcher {
        regex: regex.to_owned(),
        ..RegexMatcher::default()
    }
}
