//! The head of a request as HTTP/1.1 writes it.

use http::header::{CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING};
use http::uri::{Authority, PathAndQuery};
use http::{Method, Request};
use http_body::Body as _;

use crate::body::RequestBody;
use crate::connect::hop_by_hop;

use super::length::content_length;
use super::out::line;

/// How the end of a request's body is told (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// By a number of bytes; zero if there is no body.
    Bytes(u64),
    /// By a last chunk.
    Chunked,
}

/// Most heads fit in.
const ROOM: usize = 512;

/// Writes the head of `request`: its line, `host`, its headers but the hop-by-hop ones, which are removed,
/// and what tells the length of the body.
///
/// # Errors
/// What cannot be expressed, in words; nothing is written then.
pub(super) fn head(
    request: &mut Request<RequestBody>,
    out: &mut Vec<u8>,
) -> Result<Length, &'static str> {
    hop_by_hop::strip_request(request.headers_mut());
    let length = length(request)?;
    let ((slash, target), host) = (target(request)?, host(request)?);
    out.reserve(ROOM);
    out.extend_from_slice(request.method().as_str().as_bytes());
    out.extend_from_slice(b" ");
    out.extend_from_slice(slash.as_bytes());
    out.extend_from_slice(target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    line(out, &HOST, host);
    for (name, value) in request.headers() {
        if name != HOST && name != CONTENT_LENGTH {
            line(out, name, value.as_bytes());
        }
    }
    match length {
        Length::Chunked => line(out, &TRANSFER_ENCODING, b"chunked"),
        Length::Bytes(0) if goes_without_length(request) => {}
        Length::Bytes(bytes) => {
            let bytes = HeaderValue::from(bytes);
            line(out, &CONTENT_LENGTH, bytes.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
    Ok(length)
}

/// Origin form, after a slash if that is missing, or an asterisk; of CONNECT, authority form (RFC 9112
/// section 3.2).
fn target(request: &Request<RequestBody>) -> Result<(&'static str, &str), &'static str> {
    let uri = request.uri();
    if request.method() == Method::CONNECT {
        let authority = uri.authority().map(without_user);
        let authority = authority.ok_or("a CONNECT request has no authority")?;
        return Ok(("", authority));
    }
    let target = uri.path_and_query().map_or("", PathAndQuery::as_str);
    // A URI may have a query and no path, and a path that was set by itself may begin with anything:
    // it must not be taken for another form, which may name another host.
    let is_whole = target.starts_with('/') || target == "*";
    Ok((if is_whole { "" } else { "/" }, target))
}

/// The authority of the URI, or the `host` header of a URI without one.
fn host(request: &Request<RequestBody>) -> Result<&[u8], &'static str> {
    if let Some(authority) = request.uri().authority() {
        return Ok(without_user(authority).as_bytes());
    }
    let host = request.headers().get(HOST).map(HeaderValue::as_bytes);
    host.ok_or("the request has neither authority nor host")
}

/// User information is not part of the host (RFC 9110 section 7.2).
fn without_user(authority: &Authority) -> &str {
    let name = authority.as_str();
    name.rsplit_once('@').map_or(name, |(_, host)| host)
}

/// What the body knows of itself, which has to agree with what the headers say.
fn length(request: &Request<RequestBody>) -> Result<Length, &'static str> {
    let body = request.body();
    let known = if body.is_end_stream() {
        Some(0)
    } else {
        body.size_hint().exact()
    };
    let mut lines = request.headers().get_all(CONTENT_LENGTH).iter();
    let said = lines
        .try_fold(None, content_length)
        .map_err(|()| "the request's content-length is not a number")?;
    match (said, known) {
        (Some(said), Some(known)) if said != known => {
            Err("the request's content-length is not the length of its body")
        }
        (Some(bytes), _) | (None, Some(bytes)) => Ok(Length::Bytes(bytes)),
        (None, None) => Ok(Length::Chunked),
    }
}

/// Whether a request without a body says nothing of it: one of a method that seldom has one, as in
/// Envoy (RFC 9110 section 8.6).
fn goes_without_length(request: &Request<RequestBody>) -> bool {
    const BODILESS: [Method; 5] = [
        Method::GET,
        Method::HEAD,
        Method::DELETE,
        Method::TRACE,
        Method::CONNECT,
    ];
    BODILESS.contains(request.method()) && !request.headers().contains_key(CONTENT_LENGTH)
}
