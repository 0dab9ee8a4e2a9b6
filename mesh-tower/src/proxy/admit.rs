//! What is done to a request before it is routed (Envoy, "HTTP connection manager").

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Version,
    header::{COOKIE, EXPECT, HOST, UPGRADE},
};
use mesh_core::local_reply::LocalReply;

use super::{
    http1,
    seen::{Host, Seen},
};
use crate::connect::hop_by_hop;

static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static CLIENT_CERT: HeaderName = HeaderName::from_static("x-forwarded-client-cert");
pub(super) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// By these a caller within the mesh may change how its request is treated. Nobody is known to be
/// within the mesh, so they are taken away (Envoy, "internal_address_config": none).
const CONTROLS: [&str; 16] = [
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-force-trace",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-internal",
    "x-envoy-ip-tags",
    "x-envoy-max-retries",
    "x-envoy-original-url",
    "x-envoy-retriable-header-names",
    "x-envoy-retriable-status-codes",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-stream-duration-ms",
];

/// Headers of which Envoy keeps one line, and makes one of several; of all others each line is kept.
static ONE_LINE: [HeaderName; 21] = [
    HeaderName::from_static("accept"),
    HeaderName::from_static("accept-encoding"),
    HeaderName::from_static("authorization"),
    HeaderName::from_static("cache-control"),
    HeaderName::from_static("content-encoding"),
    HeaderName::from_static("content-type"),
    HeaderName::from_static("expect"),
    HeaderName::from_static("grpc-accept-encoding"),
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("if-none-match"),
    HeaderName::from_static("origin"),
    HeaderName::from_static("pragma"),
    HeaderName::from_static("referer"),
    HeaderName::from_static("user-agent"),
    HeaderName::from_static("via"),
    HeaderName::from_static("x-client-trace-id"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-request-id"),
];

/// Why a request is not sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is of HTTP/1.0 or older.
    OldVersion,
    /// Its method or its target is none.
    Malformed,
    /// Its body is coded in a way that is not known.
    Coding,
    /// It wants another protocol than HTTP.
    Upgrade,
    /// It wants a tunnel, which no route gives.
    Tunnel,
    /// It says nobody to whom it is addressed.
    NoHost,
    /// What it is addressed to is no authority.
    Host,
    /// It is for the proxy itself (`OPTIONS *`).
    NoPath,
    /// It has too many headers.
    TooLarge,
}

impl Refusal {
    /// The answer.
    pub(super) fn reply(self) -> LocalReply {
        let (status, body, flag, details) = match self {
            Self::OldVersion => (426, "Upgrade Required", "", "low_version"),
            Self::Malformed => (400, "Bad Request", "DPE", "http1.codec_error"),
            Self::Coding => (
                501,
                "Not Implemented",
                "DPE",
                "http1.invalid_transfer_encoding",
            ),
            Self::Upgrade => (403, "", "", "upgrade_failed"),
            Self::Tunnel => (404, "", "NR", "route_not_found"),
            Self::NoHost => (400, "", "", "missing_host_header"),
            Self::Host => (400, "Bad Request", "DPE", "http.invalid_authority"),
            Self::NoPath => (404, "", "", "absolute_path_rejected"),
            Self::TooLarge => (
                431,
                "Request Header Fields Too Large",
                "DPE",
                "http1.too_many_headers",
            ),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        LocalReply {
            flag,
            details: details.into(),
            ..LocalReply::new(status, body)
        }
    }

    /// Whether a connection over HTTP/1.1 ends with the answer: what comes next on it may be something
    /// else than a request, or not what it seems.
    pub(super) fn closes(self) -> bool {
        self != Self::NoPath
    }
}

/// Gives a request one line of each header that has no more in Envoy.
pub(super) fn join_lines<B>(request: &mut Request<B>) {
    let http2 = request.version() == Version::HTTP_2;
    let headers = request.headers_mut();
    // Most requests have no header twice.
    if headers.len() == headers.keys_len() {
        return;
    }
    for name in &ONE_LINE {
        one_line(headers, name, b",");
    }
    // HTTP/2 lets a client send each cookie in a line of its own; others may not (RFC 9113 section
    // 8.2.3).
    if http2 {
        one_line(headers, &COOKIE, b"; ");
    }
}

/// Makes of a request as it came, with the headers that were `seen`, one that can be sent on.
///
/// # Errors
/// Why it cannot.
pub(super) fn admit<B>(request: &mut Request<B>, seen: Seen) -> Result<(), Refusal> {
    if request.version() < Version::HTTP_11 {
        return Err(Refusal::OldVersion);
    }
    if request.version() == Version::HTTP_11 {
        http1::check(request, seen)?;
    }
    if *request.method() == Method::CONNECT {
        return Err(Refusal::Tunnel);
    }
    if seen.connection && asks_for_upgrade(request.headers()) {
        return Err(Refusal::Upgrade);
    }
    one_host(request, seen.host)?;
    if !request.uri().path().starts_with('/') {
        let about_us = *request.method() == Method::OPTIONS && request.uri().path() == "*";
        return Err(match about_us {
            true => Refusal::NoPath,
            false => Refusal::Malformed,
        });
    }
    take_away(request.headers_mut(), seen);
    add(request.headers_mut(), seen);
    Ok(())
}

/// Takes from a request what goes no further.
fn take_away(headers: &mut HeaderMap, seen: Seen) {
    if seen.expect
        && let Some(expected) = headers.get(EXPECT)
        && expected.as_bytes().eq_ignore_ascii_case(b"100-continue")
    {
        // Whoever reads the body says that it may come (Envoy, "proxy_100_continue": no).
        headers.remove(EXPECT);
    }
    if seen.hop_by_hop {
        hop_by_hop::strip_request(headers);
    }
    // Who a caller is, its connection says, and nobody else (Envoy, "forward_client_cert_details":
    // sanitize).
    if seen.client_cert {
        headers.remove(&CLIENT_CERT);
    }
    if seen.controls {
        for name in CONTROLS {
            headers.remove(name);
        }
    }
}

/// Gives a request what it has to have. What its `connection` nominated may be away by now.
fn add(headers: &mut HeaderMap, seen: Seen) {
    let has = |seen_before, headers: &HeaderMap, name: &HeaderName| {
        seen_before && (!seen.connection || headers.contains_key(name))
    };
    if !has(seen.forwarded_proto, headers, &FORWARDED_PROTO) {
        headers.insert(&FORWARDED_PROTO, HeaderValue::from_static("http"));
    }
    if !has(seen.request_id, headers, &REQUEST_ID) {
        headers.insert(&REQUEST_ID, request_id());
    }
}

/// Whether a request wants its connection for something else than HTTP. An offer to go on in HTTP/2
/// may be ignored (RFC 9110 section 7.8), as Envoy does.
fn asks_for_upgrade(headers: &HeaderMap) -> bool {
    let asked = || {
        let asked = headers.get(UPGRADE)?.to_str().ok()?;
        Some(!asked.eq_ignore_ascii_case("h2c"))
    };
    hop_by_hop::connection_has(headers, "upgrade") && asked() == Some(true)
}

/// Sees to it that a request has one authority: that of its URI, or its `host` header. Several lines
/// of that are one, joined by commas.
fn one_host<B>(request: &mut Request<B>, host: Host) -> Result<(), Refusal> {
    if request.uri().authority().is_some() {
        return Ok(());
    }
    let headers = request.headers_mut();
    match host {
        Host::None => Err(Refusal::NoHost),
        Host::One => Ok(()),
        // An odd one may be one of several over HTTP/2.
        Host::Several | Host::Odd => {
            let joined = joined(headers, &HOST, b",").ok_or(Refusal::NoHost)?;
            headers.insert(HOST, joined);
            Ok(())
        }
    }
}

/// Makes one line of several of a header.
fn one_line(headers: &mut HeaderMap, name: &HeaderName, between: &[u8]) {
    if headers.get_all(name).iter().nth(1).is_some()
        && let Some(joined) = joined(headers, name, between)
    {
        headers.insert(name, joined);
    }
}

/// The lines of a header as one.
fn joined(headers: &HeaderMap, name: &HeaderName, between: &[u8]) -> Option<HeaderValue> {
    let lines = headers.get_all(name).iter();
    let lines: Vec<_> = lines.map(HeaderValue::as_bytes).collect();
    HeaderValue::from_bytes(&lines.join(between)).ok()
}

/// A random UUID (RFC 9562 section 5.4).
fn request_id() -> HeaderValue {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    const VERSION: u128 = 0x4 << 76;
    const VARIANT: u128 = 0x2 << 62;
    let id = fastrand::u128(..) & !(0xf << 76) & !(0x3 << 62) | VERSION | VARIANT;
    let mut digits = [0; 32];
    for (byte, pair) in id.to_be_bytes().into_iter().zip(digits.chunks_exact_mut(2)) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 0xf)];
    }
    let mut text = [b'-'; 36];
    for (group, place) in [
        (0..8, 0),
        (8..12, 9),
        (12..16, 14),
        (16..20, 19),
        (20..32, 24),
    ] {
        text[place..][..group.len()].copy_from_slice(&digits[group]);
    }
    // Hexadecimal digits and dashes always make a header value.
    HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests;
