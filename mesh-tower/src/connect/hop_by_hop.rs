//! Headers that belong to one connection and never travel further (RFC 9110 section 7.6.1).
//!
//! As Envoy's connection manager: `connection` and what it nominates, `keep-alive`,
//! `proxy-connection`, `transfer-encoding` and `upgrade` go both ways, `te` is reduced to
//! `trailers`, `proxy-authorization` stays.

use http::HeaderMap;
use http::header::{CONNECTION, HeaderName, HeaderValue, TE};

/// Removed from every message.
const ALWAYS: [&str; 5] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// What `connection` may not nominate: a message without them would mean something else, and a
/// caller could use it to strip what an earlier hop relied on.
const PROTECTED: [&str; 8] = [
    "host",
    "content-length",
    "content-type",
    "te",
    "authorization",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

/// Strips a request's hop-by-hop headers and reduces `te` to `trailers` (or removes it).
pub fn strip_request(headers: &mut HeaderMap) {
    strip(headers);
    // Looked for as above. Most often there is nothing to reduce.
    let mut lines = headers.iter().filter(|(name, _)| *name == TE);
    match (lines.next(), lines.next()) {
        (None, _) => {}
        (Some((_, only)), None) if only.as_bytes() == b"trailers" => {}
        _ => reduce_te(headers),
    }
}

/// Strips the hop-by-hop headers of a response, or of any trailers.
pub fn strip_response(headers: &mut HeaderMap) {
    strip(headers);
}

/// Whether a header of this name is removed from every message.
pub(crate) fn is_fixed(name: &HeaderName) -> bool {
    ALWAYS.contains(&name.as_str())
}

/// Whether a message without a header of this name would mean something else.
pub(crate) fn is_protected(name: &HeaderName) -> bool {
    PROTECTED.contains(&name.as_str())
}

/// True if a header named `connection` has `token` in its list, in any case.
pub(crate) fn connection_has(headers: &HeaderMap, token: &str) -> bool {
    tokens(headers, &CONNECTION).any(|t| t.eq_ignore_ascii_case(token))
}

fn strip(headers: &mut HeaderMap) {
    // One pass over the names that are there is cheaper than a look-up for each that may be.
    if !headers.keys().any(is_fixed) {
        return;
    }
    if headers.contains_key(CONNECTION) {
        let nominated: Vec<HeaderName> = tokens(headers, &CONNECTION)
            .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
            .filter(|name| !is_protected(name))
            .collect();
        for name in nominated {
            headers.remove(name);
        }
    }
    for name in ALWAYS {
        headers.remove(name);
    }
}

fn reduce_te(headers: &mut HeaderMap) {
    let trailers = tokens(headers, &TE).any(|token| {
        let coding = token.split(';').next().unwrap_or_default();
        coding.trim().eq_ignore_ascii_case("trailers")
    });
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    } else {
        headers.remove(TE);
    }
}

/// The comma-separated tokens of all values of `name`; a value that is not text has none.
pub(crate) fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        headers
    }

    #[test]
    fn strips_the_fixed_and_the_nominated() {
        let mut headers = map(&[
            ("connection", "close, X-Foo"),
            ("connection", "x-bar"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("x-foo", "1"),
            ("x-bar", "2"),
            ("x-kept", "3"),
            ("proxy-authorization", "basic x"),
        ]);
        let mut response = headers.clone();
        strip_request(&mut headers);
        let kept = map(&[("x-kept", "3"), ("proxy-authorization", "basic x")]);
        assert_eq!(headers, kept);
        strip_response(&mut response);
        assert_eq!(response, kept);
    }

    #[test]
    fn protected_headers_cannot_be_nominated() {
        let pairs = [
            ("host", "a"),
            ("content-length", "1"),
            ("content-type", "text/plain"),
            ("authorization", "basic x"),
        ];
        let mut headers = map(&pairs);
        headers.insert(
            CONNECTION,
            HeaderValue::from_static("host, content-length, content-type, authorization"),
        );
        strip_request(&mut headers);
        assert_eq!(headers, map(&pairs));
    }

    #[test]
    fn te_is_reduced_to_trailers() {
        for (given, left) in [
            (&["trailers"][..], Some("trailers")),
            (&["gzip, Trailers"], Some("trailers")),
            (&["trailers;q=0.5", "deflate"], Some("trailers")),
            (&["gzip"], None),
            (&["trailersx"], None),
            (&[""], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in given {
                headers.append(TE, HeaderValue::from_static(value));
            }
            strip_request(&mut headers);
            let got: Vec<_> = headers.get_all(TE).iter().collect();
            assert_eq!(got, left.iter().collect::<Vec<_>>(), "{given:?}");
        }
    }

    #[test]
    fn connection_tokens_are_found_in_any_case() {
        let headers = map(&[("connection", "Keep-Alive , CLOSE")]);
        assert!(connection_has(&headers, "close"));
        assert!(connection_has(&headers, "keep-alive"));
        assert!(!connection_has(&headers, "upgrade"));
    }

    #[test]
    fn values_that_are_not_text_are_dropped_whole() {
        let mut headers = HeaderMap::new();
        let odd = HeaderValue::from_bytes(b"\xff, x-foo").unwrap();
        headers.insert(CONNECTION, odd.clone());
        headers.insert(TE, odd);
        headers.insert("x-foo", HeaderValue::from_static("1"));
        strip_request(&mut headers);
        assert_eq!(headers, map(&[("x-foo", "1")]));
    }
}
