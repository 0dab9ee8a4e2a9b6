//! A request as HTTP/1.1 writes it.

use http::header::{CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING};
use http::uri::{PathAndQuery, Uri};
use http::{Method, Request, Version};
use http_body::Body as _;

use crate::body::RequestBody;
use crate::connect::{SendFailure, SendFailureKind, hop_by_hop};

/// Brings the URI into origin form (CONNECT: authority form), sets `host`, strips hop-by-hop
/// headers. Gives the original URI too, in case the request has to go elsewhere.
pub(super) fn prepare(
    mut request: Request<RequestBody>,
) -> Result<(Request<RequestBody>, Uri), SendFailure> {
    let host = request.uri().authority().map(|authority| {
        let name = authority.as_str();
        // User information is not part of the host (RFC 9110 section 7.2).
        let host = name.rsplit_once('@').map_or(name, |(_, host)| host);
        HeaderValue::from_str(host)
    });
    match host {
        Some(Ok(host)) => {
            request.headers_mut().insert(HOST, host);
        }
        Some(Err(_)) => return Err(invalid(request, "the authority is not a header value")),
        None if request.headers().contains_key(HOST) => {}
        None => {
            return Err(invalid(
                request,
                "the request has neither authority nor host",
            ));
        }
    }
    hop_by_hop::strip_request(request.headers_mut());
    tell_no_body(&mut request);
    tell_chunks(&mut request);
    *request.version_mut() = Version::HTTP_11;
    let uri = if *request.method() == Method::CONNECT {
        request.uri().clone()
    } else {
        let target = request
            .uri()
            .path_and_query()
            .cloned()
            .unwrap_or_else(|| PathAndQuery::from_static("/"));
        std::mem::replace(request.uri_mut(), Uri::from(target))
    };
    Ok((request, uri))
}

/// Says that there is no body where the method is one of those that have one (RFC 9110 section 8.6;
/// Envoy has this list).
fn tell_no_body(request: &mut Request<RequestBody>) {
    const BODILESS: [Method; 5] = [
        Method::GET,
        Method::HEAD,
        Method::DELETE,
        Method::TRACE,
        Method::CONNECT,
    ];
    if request.body().is_end_stream() && !BODILESS.contains(request.method()) {
        let headers = request.headers_mut();
        headers
            .entry(CONTENT_LENGTH)
            .or_insert(HeaderValue::from_static("0"));
    }
}

/// Says that a body of unknown length comes in chunks where hyper would take it for none, and lose it.
fn tell_chunks(request: &mut Request<RequestBody>) {
    if matches!(*request.method(), Method::GET | Method::HEAD)
        && !request.body().is_end_stream()
        && request.body().size_hint().exact().is_none()
        && !request.headers().contains_key(CONTENT_LENGTH)
    {
        let chunked = HeaderValue::from_static("chunked");
        request.headers_mut().insert(TRANSFER_ENCODING, chunked);
    }
}

/// Undoes what [`prepare`] did to the URI.
pub(super) fn restore(mut request: Request<RequestBody>, uri: Uri) -> Request<RequestBody> {
    *request.uri_mut() = uri;
    request
}

fn invalid(request: Request<RequestBody>, text: &str) -> SendFailure {
    SendFailure::with_request(SendFailureKind::Protocol(text.into()), request)
}
