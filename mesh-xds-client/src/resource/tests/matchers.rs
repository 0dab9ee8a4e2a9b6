//! Matchers of headers, queries and texts: gRFC A28 and A63, Envoy's "HeaderMatcher".

use mesh_core::config::{
    HeaderMatch, HeaderMatchKind, HeaderSource, QueryMatchKind, RouteMatch, StringMatch,
    StringMatchKind,
};
use mesh_proto::envoy::r#type::{
    matcher::v3::{StringMatcher, string_matcher::MatchPattern},
    v3::Int64Range,
};
use pb::{header_matcher::HeaderMatchSpecifier as Specifier, route_match::PathSpecifier};

use super::*;

fn matching(matches: pb::RouteMatch) -> RouteConfiguration {
    routes(vec![pb::Route {
        r#match: Some(matches),
        ..to(forward("a"))
    }])
}

fn read(dialect: Dialect, matches: pb::RouteMatch) -> RouteMatch {
    decoded_routes(dialect, &matching(matches))
        .swap_remove(0)
        .matches
}

fn refused(dialect: Dialect, matches: pb::RouteMatch) -> Vec<String> {
    let at = "virtual_hosts[0].routes[0].match.";
    let errors = errors(dialect, &matching(matches));
    let strip = |error: String| error.strip_prefix(at).map_or(error.clone(), str::to_owned);
    errors.into_iter().map(strip).collect()
}

fn header(name: &str, specifier: Option<Specifier>) -> pb::RouteMatch {
    pb::RouteMatch {
        headers: vec![pb::HeaderMatcher {
            name: name.to_owned(),
            header_match_specifier: specifier,
            ..Default::default()
        }],
        ..every_path()
    }
}

fn one_header(dialect: Dialect, matches: pb::RouteMatch) -> HeaderMatch {
    read(dialect, matches).headers.swap_remove(0)
}

fn text(pattern: Option<MatchPattern>, ignore_case: bool) -> StringMatcher {
    StringMatcher {
        match_pattern: pattern,
        ignore_case,
    }
}

#[test]
fn where_a_header_matcher_reads() {
    let source = |dialect, name| {
        one_header(dialect, header(name, Some(Specifier::PresentMatch(true)))).source
    };
    let plain = HeaderSource::Header("x-user".parse().unwrap());
    for dialect in BOTH {
        assert_eq!(source(dialect, "X-User"), plain);
    }
    let hidden = |name: &str| HeaderSource::Hidden(name.into());
    for (name, envoy) in [
        (":method", HeaderSource::Method),
        (":scheme", HeaderSource::Scheme),
        (":authority", HeaderSource::Authority),
        (":path", HeaderSource::Path),
        (
            "grpc-trace-bin",
            HeaderSource::Header("grpc-trace-bin".parse().unwrap()),
        ),
    ] {
        assert_eq!(source(Dialect::Grpc, name), hidden(name));
        assert_eq!(source(Dialect::Envoy, name), envoy);
    }
    assert_eq!(source(Dialect::Envoy, "Host"), HeaderSource::Authority);
    for name in ["a b", "\u{e4}", ":other"] {
        for dialect in BOTH {
            assert_eq!(source(dialect, name), hidden(name));
        }
    }
    for name in ["", "a\n"] {
        assert_eq!(source(Dialect::Grpc, name), hidden(name));
        let matches = header(name, Some(Specifier::PresentMatch(true)));
        assert_eq!(
            refused(Dialect::Envoy, matches),
            ["headers[0].name: is not a header name"]
        );
    }
}

#[test]
fn kinds_of_header_matchers() {
    let exact = |ignore_case| {
        HeaderMatchKind::Text(StringMatch {
            kind: StringMatchKind::Exact("v".into()),
            ignore_case,
        })
    };
    let range = Int64Range { start: -1, end: 10 };
    for dialect in BOTH {
        let kind = |specifier| one_header(dialect, header("x", Some(specifier))).kind;
        assert_eq!(kind(Specifier::ExactMatch("v".to_owned())), exact(false));
        let matcher = text(Some(MatchPattern::Exact("v".to_owned())), true);
        assert_eq!(kind(Specifier::StringMatch(matcher)), exact(true));
        assert_eq!(
            kind(Specifier::RangeMatch(range)),
            HeaderMatchKind::Range(-1..10)
        );
        assert_eq!(
            kind(Specifier::PresentMatch(false)),
            HeaderMatchKind::Present(false)
        );
        for (specifier, expected) in [
            (
                Specifier::PrefixMatch("v".to_owned()),
                StringMatchKind::Prefix("v".into()),
            ),
            (
                Specifier::SuffixMatch("v".to_owned()),
                StringMatchKind::Suffix("v".into()),
            ),
            (
                Specifier::ContainsMatch("v".to_owned()),
                StringMatchKind::Contains("v".into()),
            ),
            (
                Specifier::SafeRegexMatch(regex("v+")),
                StringMatchKind::Regex(mesh_core::config::Pattern::new("v+").unwrap()),
            ),
        ] {
            let HeaderMatchKind::Text(found) = kind(specifier) else {
                panic!()
            };
            assert_eq!(found.kind, expected);
        }
    }
}

#[test]
fn a_matcher_with_a_name_only_is_a_test_of_presence_in_envoy() {
    let kind = one_header(Dialect::Envoy, header("x", None)).kind;
    assert_eq!(kind, HeaderMatchKind::Present(true));
    assert_eq!(
        refused(Dialect::Grpc, header("x", None)),
        ["headers[0]: has no known kind of match"]
    );
}

#[test]
fn empty_and_unknown_texts_are_refused() {
    let empty = String::new;
    for dialect in BOTH {
        for (specifier, expected) in [
            (Specifier::PrefixMatch(empty()), "prefix_match: is empty"),
            (Specifier::SuffixMatch(empty()), "suffix_match: is empty"),
            (
                Specifier::ContainsMatch(empty()),
                "contains_match: is empty",
            ),
            (
                Specifier::StringMatch(text(Some(MatchPattern::Prefix(empty())), false)),
                "string_match.prefix: is empty",
            ),
            (
                Specifier::StringMatch(text(Some(MatchPattern::Suffix(empty())), false)),
                "string_match.suffix: is empty",
            ),
            (
                Specifier::StringMatch(text(Some(MatchPattern::Contains(empty())), false)),
                "string_match.contains: is empty",
            ),
            (
                Specifier::StringMatch(text(None, false)),
                "string_match: has no known match pattern",
            ),
            (
                Specifier::StringMatch(text(Some(MatchPattern::Custom(Default::default())), false)),
                "string_match.custom: is not supported yet",
            ),
        ] {
            let found = refused(dialect, header("x", Some(specifier)));
            assert_eq!(found, [format!("headers[0].{expected}")], "{dialect:?}");
        }
        accept(
            dialect,
            &matching(header("x", Some(Specifier::ExactMatch(empty())))),
        );
    }
}

#[test]
fn an_exact_match_of_nothing_is_one_of_anything_in_envoy() {
    let empty = String::new;
    let kind = |dialect, specifier| one_header(dialect, header("x", Some(specifier))).kind;
    let text_of = |kind| match kind {
        HeaderMatchKind::Text(text) => text.kind,
        other => panic!("{other:?}"),
    };
    let old = || Specifier::ExactMatch(empty());
    let new = text(Some(MatchPattern::Exact(empty())), false);
    let (any, none) = (
        StringMatchKind::Prefix("".into()),
        StringMatchKind::Exact("".into()),
    );
    assert_eq!(text_of(kind(Dialect::Envoy, old())), any);
    assert_eq!(text_of(kind(Dialect::Grpc, old())), none);
    let new = Specifier::StringMatch(new);
    assert_eq!(text_of(kind(Dialect::Envoy, new)), none);
}

#[test]
fn bad_regexes_are_named_wherever_they_stand() {
    let bad = || regex("(");
    let path = pb::RouteMatch {
        path_specifier: Some(PathSpecifier::SafeRegex(bad())),
        ..Default::default()
    };
    for dialect in BOTH {
        for (matches, at) in [
            (path.clone(), "safe_regex.regex"),
            (
                header("x", Some(Specifier::SafeRegexMatch(bad()))),
                "headers[0].safe_regex_match.regex",
            ),
            (
                header(
                    "x",
                    Some(Specifier::StringMatch(text(
                        Some(MatchPattern::SafeRegex(bad())),
                        false,
                    ))),
                ),
                "headers[0].string_match.safe_regex.regex",
            ),
        ] {
            let found = refused(dialect, matches);
            assert_eq!(found.len(), 1);
            assert!(
                found[0].starts_with(&format!("{at}: invalid regex")),
                "{found:?}"
            );
        }
    }
    let empty = pb::RouteMatch {
        path_specifier: Some(PathSpecifier::SafeRegex(regex(""))),
        ..Default::default()
    };
    read(Dialect::Grpc, empty.clone());
    assert_eq!(
        refused(Dialect::Envoy, empty),
        ["safe_regex.regex: is empty"]
    );
}

#[test]
fn inversion_is_kept_and_missing_as_empty_is_envoys() {
    let mut matches = header("x", Some(Specifier::ExactMatch("v".to_owned())));
    matches.headers[0].invert_match = true;
    matches.headers[0].treat_missing_header_as_empty = true;
    let envoy = one_header(Dialect::Envoy, matches.clone());
    assert!(envoy.invert && envoy.missing_as_empty);
    let grpc = one_header(Dialect::Grpc, matches);
    assert!(grpc.invert && !grpc.missing_as_empty);
}

#[test]
fn query_parameters_are_envoys() {
    use pb::query_parameter_matcher::QueryParameterMatchSpecifier as Specifier;
    let query = |name: &str, specifier| pb::QueryParameterMatcher {
        name: name.to_owned(),
        query_parameter_match_specifier: specifier,
    };
    let exact = text(Some(MatchPattern::Exact("v".to_owned())), false);
    let matches = pb::RouteMatch {
        query_parameters: vec![
            query("a", None),
            query("b", Some(Specifier::PresentMatch(false))),
            query("c", Some(Specifier::StringMatch(exact))),
        ],
        ..every_path()
    };
    let found = read(Dialect::Envoy, matches.clone()).query;
    assert_eq!(found[0].kind, QueryMatchKind::Present(true));
    assert_eq!(found[1].kind, QueryMatchKind::Present(false));
    assert!(matches!(&found[2].kind, QueryMatchKind::Text(_)));
    assert!(decoded_routes(Dialect::Grpc, &matching(matches)).is_empty());
    let matches = pb::RouteMatch {
        query_parameters: vec![query("", None)],
        ..every_path()
    };
    assert_eq!(
        refused(Dialect::Envoy, matches),
        ["query_parameters[0].name: is empty"]
    );
}
