//! From a request that came in to the stack, and back: every request gets an answer.

mod admit;
mod http1;
mod log;
mod received;
mod respond;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, Version, header::CONNECTION};
use hyper::body::{Body as _, Incoming};
use mesh_core::{Error, ErrorKind, bounds::Bound, local_reply::LocalReply, policy::matcher::grpc};

use self::{admit::Refusal, log::Line, received::Received};
use crate::{HttpClient, clock, response::GuardedBody};

/// Answers requests that came in by sending them on to a target. Cheap to clone.
///
/// What a request is stripped of and gets on its way, and the answers to those that do not get
/// through, are Envoy's ("HTTP header manipulation", "Response code details"), with a connection
/// manager that has no options set.
#[derive(Clone, Debug)]
pub struct Proxy {
    client: HttpClient,
}

impl Proxy {
    /// Sends requests on by `client`; its target's virtual hosts are chosen by their authority.
    #[must_use]
    pub const fn new(client: HttpClient) -> Self {
        Self { client }
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, mut request: Request<Incoming>) -> Response<GuardedBody> {
        let arrival = clock::now();
        admit::join_lines(&mut request);
        let asked = Asked::of(&request);
        let (mut request, arrived) = Received::of(request);
        let line = Line::begin(&request);
        let arriving = !request.body().is_end_stream();
        let (reply, closes) = match admit::admit(&mut request) {
            Ok(()) => match self.client.send(request).await {
                Ok(response) => {
                    line.answered(&response);
                    return respond::passed(response, arrival);
                }
                // Whoever has more to say would say it to nobody.
                Err(error) if !arrived.wholly() => {
                    (LocalReply::of(&error).while_incomplete(), true)
                }
                Err(error) => (LocalReply::of(&error), arriving && is_early(&error)),
            },
            Err(refusal) => (refusal.reply(), arriving || refusal.closes()),
        };
        asked.reply(line, reply, closes)
    }

    /// Answers one that has more headers than it may.
    pub(crate) fn too_large(&self, request: &Request<Incoming>) -> Response<GuardedBody> {
        Bound::RequestHead.exceeded();
        let refusal = Refusal::TooLarge;
        Asked::of(request).reply(Line::begin(request), refusal.reply(), refusal.closes())
    }
}

/// What of a request its answer depends on, when that is made here.
struct Asked {
    grpc: bool,
    head: bool,
    http1: bool,
}

impl Asked {
    fn of(request: &Request<Incoming>) -> Self {
        Self {
            grpc: grpc::is_grpc(request.headers()),
            head: request.method() == Method::HEAD,
            http1: request.version() < Version::HTTP_2,
        }
    }

    fn reply(self, line: Line, reply: LocalReply, closes: bool) -> Response<GuardedBody> {
        line.replied(&reply);
        // The length that is told is that of the answer to a GET (RFC 9110 section 9.3.2).
        let body = |body| GuardedBody::local(if self.head { Bytes::new() } else { body });
        let mut response = respond::made(reply.into_response(self.grpc).map(body));
        if closes && self.http1 {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        response
    }
}

/// Whether a request failed before anything was awaited: what is still arriving of it nobody will
/// read, so its connection ends (Envoy, "delayed_close_timeout").
fn is_early(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NoRoute
            | ErrorKind::NoCluster
            | ErrorKind::NotReady
            | ErrorKind::NoEndpoint
            | ErrorKind::Overloaded
            | ErrorKind::Dropped
    ) && !error.was_retried()
}
