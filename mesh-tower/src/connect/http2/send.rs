//! One request on its stream, up to the response headers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{Reason, SendStream};
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Response, Uri, Version};
use http_body::Body;

use crate::body::{RequestBody, ResponseBody};
use crate::connect::{SendFailure, SendFailureKind, hop_by_hop};

use super::body::Http2Body;
use super::connection::{ConnectionState, Slot};
use super::failure;
use super::pump::{Pump, PumpEnd};
use super::shared::{self, Shared};
use super::upload::Upload;

/// A full body up to this size goes to h2 together with the headers. It equals the smallest frame
/// limit of a peer. Larger ones are pumped, so that a peer that stops reading leaves them here,
/// where they can be dropped with their stream.
const SEND_AT_ONCE: usize = 16 << 10;

/// A request under way; resolves to the response once its headers are here.
///
/// Dropping it resets the stream with CANCEL.
#[must_use = "dropping the future cancels the request"]
pub struct Http2Send {
    state: State,
}

enum State {
    Failed(SendFailure),
    Waiting(Waiting),
    Done,
}

struct Waiting {
    response: ResponseFuture,
    pump: Option<Box<Pump>>,
    // After the stream's own fields: the stream must be over when the slot is freed.
    slot: Slot,
}

pub(super) fn start(slot: Slot, request: Request<RequestBody>) -> Http2Send {
    let state = match open(slot, request) {
        Ok(waiting) => State::Waiting(waiting),
        Err(failure) => State::Failed(failure),
    };
    Http2Send { state }
}

fn open(slot: Slot, mut request: Request<RequestBody>) -> Result<Waiting, SendFailure> {
    if let Some(uri) = completed(&request) {
        *request.uri_mut() = uri;
    }
    if let Some(missing) = missing_part(&request) {
        let text = format!("the request's URI has no {missing}");
        let kind = SendFailureKind::Protocol(text.into());
        return Err(SendFailure::with_request(kind, request));
    }
    let Some(mut sender) = slot.shared().sender() else {
        return Err(SendFailure::with_request(SendFailureKind::Unsent, request));
    };
    let (mut parts, body) = request.into_parts();
    hop_by_hop::strip_request(&mut parts.headers);
    // `:authority` says the same (RFC 9113 section 8.3.1). To look for it is cheaper than to remove
    // what is not there.
    if parts.headers.keys().any(|name| name == HOST) {
        parts.headers.remove(HOST);
    }
    parts.version = Version::HTTP_2;
    // h2 keeps the head of a request that it does not open, so it is asked at the last moment.
    if shared::is_refusing(&mut sender) {
        // At once, and not when the driver is polled next: the request is offered again first.
        slot.shared().raise(ConnectionState::Draining);
        let request = Request::from_parts(parts, body);
        return Err(SendFailure::with_request(SendFailureKind::Unsent, request));
    }
    let end = body.is_end_stream();
    let (response, stream) = sender
        .send_request(Request::from_parts(parts, ()), end)
        .map_err(|error| not_opened(&error, slot.shared()))?;
    Ok(Waiting {
        response,
        pump: if end { None } else { begin(stream, body) },
        slot,
    })
}

/// Sends a small full body at once; any other gets a pump.
fn begin(mut stream: SendStream<Bytes>, body: RequestBody) -> Option<Box<Pump>> {
    match body.as_full() {
        Some(data) if data.len() <= SEND_AT_ONCE => {
            // It fails only if the stream is over already, and the response says why.
            let _ = stream.send_data(data.clone(), true);
            None
        }
        _ => Some(Box::new(Pump::new(stream, body))),
    }
}

/// The URI as HTTP/2 says it, where the request says it otherwise: `host` stands in for a missing
/// authority, and user information is no part of one (RFC 9113 section 8.3.1).
fn completed<B>(request: &Request<B>) -> Option<Uri> {
    let uri = request.uri();
    let authority = uri.authority().map(Authority::as_str);
    let plain = authority.is_some_and(|it| !it.contains('@'));
    if *request.method() == Method::CONNECT || (plain && uri.scheme().is_some()) {
        return None;
    }
    let host = || request.headers().get(HOST)?.to_str().ok();
    let name = authority.or_else(host)?;
    let name = name.rsplit_once('@').map_or(name, |(_, name)| name);
    let mut parts = uri.clone().into_parts();
    parts.authority = Some(name.parse().ok()?);
    parts.scheme.get_or_insert(Scheme::HTTP);
    parts
        .path_and_query
        .get_or_insert_with(|| PathAndQuery::from_static("/"));
    Uri::from_parts(parts).ok()
}

fn missing_part<B>(request: &Request<B>) -> Option<&'static str> {
    let uri = request.uri();
    if uri.authority().is_none() {
        Some("authority")
    } else if uri.scheme().is_none() && *request.method() != Method::CONNECT {
        Some("scheme")
    } else {
        None
    }
}

/// Nothing was sent, but the head is lost with the error: the connection changed in the instant
/// since it was asked, or the request is one that HTTP/2 cannot say.
fn not_opened(error: &h2::Error, shared: &Shared) -> SendFailure {
    if error.is_io() || error.reason().is_some() {
        shared.raise(ConnectionState::Draining);
        SendFailure::new(SendFailureKind::Unsent)
    } else {
        SendFailure::new(SendFailureKind::Protocol(error.to_string().into()))
    }
}

impl Waiting {
    fn poll_response(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<h2::RecvStream>, SendFailureKind>> {
        loop {
            if let Poll::Ready(result) = Pin::new(&mut self.response).poll(cx) {
                return Poll::Ready(
                    result.map_err(|error| failure::classify(&error, self.slot.shared())),
                );
            }
            let Some(pump) = &mut self.pump else {
                return Poll::Pending;
            };
            match std::task::ready!(pump.poll(cx)) {
                PumpEnd::Done => {}
                // The response knows why; it is ready now, or its waker is in place.
                PumpEnd::Stopped => {}
                PumpEnd::Failed(error) => {
                    pump.reset(Reason::CANCEL);
                    return Poll::Ready(Err(SendFailureKind::RequestBody(error)));
                }
            }
            self.pump = None;
        }
    }

    fn finish(self, response: Response<h2::RecvStream>) -> Response<ResponseBody> {
        let Self { pump, slot, .. } = self;
        let (parts, stream) = response.into_parts();
        if stream.is_end_stream() {
            if let Some(mut pump) = pump {
                // The peer has answered in full (RFC 9113 section 8.1).
                pump.reset(Reason::NO_ERROR);
            }
            return Response::from_parts(parts, ResponseBody::empty());
        }
        let body = match pump {
            None => Http2Body::new(&parts.headers, stream, slot),
            Some(pump) => {
                let upload = Upload::spawn(*pump, slot);
                Http2Body::with_upload(&parts.headers, stream, upload)
            }
        };
        Response::from_parts(parts, ResponseBody::http2(body))
    }
}

impl Future for Http2Send {
    type Output = Result<Response<ResponseBody>, SendFailure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let result = match &mut this.state {
            State::Waiting(waiting) => std::task::ready!(waiting.poll_response(cx)),
            // Polled again after its end: there is no request any more.
            State::Failed(_) | State::Done => Err(SendFailureKind::Unsent),
        };
        let state = std::mem::replace(&mut this.state, State::Done);
        Poll::Ready(match (state, result) {
            (State::Waiting(waiting), Ok(response)) => Ok(waiting.finish(response)),
            (State::Failed(failure), _) => Err(failure),
            (_, Err(kind)) => Err(SendFailure::new(kind)),
            (State::Done, Ok(_)) => Err(SendFailure::new(SendFailureKind::Unsent)),
        })
    }
}

impl fmt::Debug for Http2Send {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Failed(failure) => return f.debug_tuple("Http2Send").field(failure).finish(),
            State::Waiting(_) => "waiting",
            State::Done => "done",
        };
        f.debug_tuple("Http2Send").field(&state).finish()
    }
}
