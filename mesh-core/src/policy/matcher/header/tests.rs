use http::{Method, Uri};

use super::*;
use crate::config::{Dialect, Pattern, StringMatch, StringMatchKind};

const GRPC_RULES: MatchRules = MatchRules::of(Dialect::Grpc);
const ENVOY: MatchRules = MatchRules::of(Dialect::Envoy);

fn text(kind: StringMatchKind) -> HeaderMatchKind {
    HeaderMatchKind::Text(StringMatch {
        kind,
        ignore_case: false,
    })
}

fn exact(value: &str) -> HeaderMatchKind {
    text(StringMatchKind::Exact(value.into()))
}

fn regex(source: &str) -> HeaderMatchKind {
    text(StringMatchKind::Regex(Pattern::new(source).unwrap()))
}

fn on(source: HeaderSource, kind: HeaderMatchKind) -> HeaderMatch {
    HeaderMatch {
        source,
        kind,
        invert: false,
        missing_as_empty: false,
    }
}

fn x(kind: HeaderMatchKind) -> HeaderMatch {
    on(HeaderSource::Header(HeaderName::from_static("x")), kind)
}

fn inverted(condition: HeaderMatch) -> HeaderMatch {
    HeaderMatch {
        invert: true,
        ..condition
    }
}

fn or_empty(condition: HeaderMatch) -> HeaderMatch {
    HeaderMatch {
        missing_as_empty: true,
        ..condition
    }
}

/// Whether a GET of `uri` with these values of `x` satisfies `condition`.
fn check_uri(condition: &HeaderMatch, uri: &str, values: &[&[u8]], rules: MatchRules) -> bool {
    let uri: Uri = uri.parse().unwrap();
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append("x", HeaderValue::from_bytes(value).unwrap());
    }
    headers.insert(header::CONTENT_TYPE, "text/html".parse().unwrap());
    matches(
        condition,
        &RequestHead::new(&Method::GET, &uri, &headers),
        rules,
    )
}

fn check(condition: &HeaderMatch, values: &[&[u8]], rules: MatchRules) -> bool {
    check_uri(condition, "http://shop.test/", values, rules)
}

#[test]
fn several_lines_are_each_or_joined() {
    let contains = |value: &str| text(StringMatchKind::Contains(value.into()));
    // (condition, lines, in dialect envoy, in dialect grpc)
    let table: Vec<(HeaderMatch, &[&[u8]], bool, bool)> = vec![
        (x(exact("a")), &[b"a", b"b"], true, false),
        (x(exact("b")), &[b"a", b"b"], true, false),
        (x(exact("a,b")), &[b"a", b"b"], false, true),
        (x(exact("a,b")), &[b"a,b"], true, true),
        (x(exact("a")), &[b"a,b"], false, false),
        (x(regex("a.*b")), &[b"a", b"b"], false, true),
        (x(contains(",b")), &[b"a", b"b"], false, true),
        (inverted(x(exact("a"))), &[b"a", b"b"], false, true),
        (inverted(x(exact("c"))), &[b"a", b"b"], true, true),
        (x(HeaderMatchKind::Range(1..5)), &[b"9", b"4"], true, false),
        (
            inverted(x(HeaderMatchKind::Range(1..5))),
            &[b"9", b"4"],
            false,
            true,
        ),
        (x(HeaderMatchKind::Present(true)), &[b"a", b"b"], true, true),
        (x(exact("a,,b")), &[b"a", b"", b"b"], false, true),
    ];
    for (condition, values, envoy, grpc) in table {
        assert_eq!(check(&condition, values, ENVOY), envoy, "{condition:?}");
        assert_eq!(check(&condition, values, GRPC_RULES), grpc, "{condition:?}");
    }
}

#[test]
fn long_lines_are_joined_whole() {
    let line = [b'a'; JOINED_INLINE];
    let whole = format!("{0},{0}", "a".repeat(JOINED_INLINE));
    assert!(check(&x(exact(&whole)), &[&line, &line], GRPC_RULES));
}

#[test]
fn a_missing_header_satisfies_no_condition_on_a_value() {
    let values = [
        x(exact("")),
        x(exact("a")),
        x(regex(".*")),
        x(HeaderMatchKind::Range(i64::MIN..i64::MAX)),
    ];
    for rules in [ENVOY, GRPC_RULES] {
        for condition in values.clone() {
            assert!(!check(&condition, &[], rules), "{condition:?}");
            let condition = inverted(condition);
            assert!(!check(&condition, &[], rules), "{condition:?}");
        }
    }
}

#[test]
fn a_missing_header_can_be_read_as_an_empty_one() {
    let table = [
        (or_empty(x(exact(""))), true),
        (or_empty(x(exact("a"))), false),
        (inverted(or_empty(x(exact("a")))), true),
        (inverted(or_empty(x(exact("")))), false),
        (or_empty(x(HeaderMatchKind::Range(0..1))), false),
        (inverted(or_empty(x(HeaderMatchKind::Range(0..1)))), true),
        (or_empty(x(HeaderMatchKind::Present(true))), true),
    ];
    for (condition, expected) in table {
        assert_eq!(check(&condition, &[], ENVOY), expected, "{condition:?}");
    }
}

#[test]
fn presence_can_be_asked_for_in_four_ways() {
    for rules in [ENVOY, GRPC_RULES] {
        for (wanted, invert) in [(true, false), (true, true), (false, false), (false, true)] {
            let mut condition = x(HeaderMatchKind::Present(wanted));
            condition.invert = invert;
            assert_eq!(check(&condition, &[b"a"], rules), wanted != invert);
            assert_eq!(check(&condition, &[b""], rules), wanted != invert);
            assert_eq!(check(&condition, &[], rules), wanted == invert);
        }
    }
}

#[test]
fn a_range_is_half_open_and_wants_decimal_integers() {
    let table: [(&[u8], bool); 16] = [
        (b"-1", false),
        (b"0", true),
        (b"4", true),
        (b"04", true),
        (b"+4", true),
        (b" 4", true),
        (b"4 ", true),
        (b"5", false),
        (b"1e0", false),
        (b"1.5", false),
        (b"", false),
        (b"+", false),
        (b"+-1", false),
        (b"0x1", false),
        (b"\xff", false),
        (b"99999999999999999999", false),
    ];
    for (value, expected) in table {
        for rules in [ENVOY, GRPC_RULES] {
            let condition = x(HeaderMatchKind::Range(0..5));
            assert_eq!(check(&condition, &[value], rules), expected, "{value:?}");
            let condition = inverted(condition);
            assert_eq!(check(&condition, &[value], rules), !expected, "{value:?}");
        }
    }
    let negative = x(HeaderMatchKind::Range(-5..0));
    assert!(check(&negative, &[b"-5"], ENVOY) && !check(&negative, &[b"-0"], ENVOY));
}

#[test]
fn pseudo_headers_are_read_from_the_head() {
    let table = [
        (on(HeaderSource::Method, exact("GET")), true),
        (on(HeaderSource::Method, exact("get")), false),
        (on(HeaderSource::Scheme, exact("https")), true),
        (on(HeaderSource::Authority, exact("shop.test:81")), true),
        (on(HeaderSource::Authority, exact("shop.test")), false),
        (on(HeaderSource::Path, exact("/ph?q=1")), true),
        (on(HeaderSource::Path, exact("/ph")), false),
        (on(HeaderSource::Path, HeaderMatchKind::Present(true)), true),
    ];
    for (condition, expected) in table {
        let found = check_uri(&condition, "https://shop.test:81/ph?q=1", &[], ENVOY);
        assert_eq!(found, expected, "{condition:?}");
    }
    let authority = on(HeaderSource::Authority, HeaderMatchKind::Present(false));
    assert!(check_uri(&authority, "/only/a/path", &[], ENVOY));
}

#[test]
fn a_hidden_header_is_always_missing() {
    let hidden = |kind| on(HeaderSource::Hidden("x".into()), kind);
    assert!(!check(&hidden(exact("a")), &[b"a"], GRPC_RULES));
    assert!(!check(&inverted(hidden(exact("b"))), &[b"a"], GRPC_RULES));
    assert!(check(
        &hidden(HeaderMatchKind::Present(false)),
        &[b"a"],
        GRPC_RULES
    ));
    assert!(!check(
        &hidden(HeaderMatchKind::Present(true)),
        &[b"a"],
        GRPC_RULES
    ));
}

#[test]
fn dialect_grpc_shows_its_own_content_type() {
    let content_type = |value| on(HeaderSource::Header(header::CONTENT_TYPE), exact(value));
    assert!(check(&content_type("application/grpc"), &[], GRPC_RULES));
    assert!(!check(&content_type("text/html"), &[], GRPC_RULES));
    assert!(check(&content_type("text/html"), &[], ENVOY));
}

#[test]
fn bytes_outside_of_utf8_are_present_and_harm_nothing() {
    for rules in [ENVOY, GRPC_RULES] {
        assert!(check(&x(HeaderMatchKind::Present(true)), &[b"\xff"], rules));
        assert!(!check(&x(exact("a")), &[b"\xff"], rules));
        assert!(check(&x(regex(".*")), &[b"\xff"], rules));
        assert!(check(&inverted(x(exact("a"))), &[b"\xff", b"\xc3"], rules));
    }
}
