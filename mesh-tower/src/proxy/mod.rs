//! From a request that came in to the stack, and back: every request gets an answer.

mod admit;
mod body;
mod http1;
mod log;
mod received;
mod respond;
mod seen;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, Version, header::CONNECTION};
use hyper::body::{Body as _, Incoming};
use mesh_core::{
    Error, ErrorKind,
    bounds::Bound,
    filter::DelayNote,
    local_reply::{LocalReply, Made},
    policy::matcher::grpc,
};

pub(crate) use self::body::ProxyBody;
use self::{admit::Refusal, log::Line, received::Received, seen::Seen};
use crate::{HttpClient, alarm::Alarm, clock, response::GuardedBody};

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

    /// Answers one request. The alarm serves one after the other.
    pub(crate) async fn answer(
        &self,
        mut request: Request<Incoming>,
        alarm: &mut Alarm,
    ) -> Response<ProxyBody> {
        let arrival = clock::now();
        admit::join_lines(&mut request);
        let seen = Seen::of(request.headers());
        let asked = Asked::of(&request, seen);
        let (mut request, arrived) = Received::of(request);
        let line = Line::begin(&request);
        let arriving = !request.body().is_end_stream();
        let note = line.note(&mut request);
        let (reply, closes) = match admit::admit(&mut request, seen) {
            Ok(()) => match self.client.exchange(request, alarm).await {
                Ok(response) => {
                    let Some(made) = response.extensions().get::<Made>() else {
                        let ending = line.at_end(&response, note);
                        let response = respond::passed(response, arrival);
                        return response.map(|inner| ProxyBody::new(inner, ending));
                    };
                    let closes = arriving && made.flag == ABORTED;
                    return asked.made(line, note.as_ref(), response, closes);
                }
                // Whoever has more to say would say it to nobody.
                Err(error) if !arrived.wholly() => {
                    (LocalReply::of(&error).while_incomplete(), true)
                }
                Err(error) => (LocalReply::of(&error), arriving && is_early(&error)),
            },
            Err(refusal) => (refusal.reply(), arriving || refusal.closes()),
        };
        asked.reply(line, note.as_ref(), reply, closes)
    }

    /// Answers one that has more headers than it may.
    pub(crate) fn too_large(&self, request: &Request<Incoming>) -> Response<ProxyBody> {
        Bound::RequestHead.exceeded();
        let refusal = Refusal::TooLarge;
        let seen = Seen::of(request.headers());
        Asked::of(request, seen).reply(
            Line::begin(request),
            None,
            refusal.reply(),
            refusal.closes(),
        )
    }
}

/// What of a request its answer depends on, when that is made here.
struct Asked {
    grpc: bool,
    head: bool,
    http1: bool,
}

impl Asked {
    fn of(request: &Request<Incoming>, seen: Seen) -> Self {
        Self {
            grpc: seen.content_type && grpc::is_grpc(request.headers()),
            head: request.method() == Method::HEAD,
            http1: request.version() < Version::HTTP_2,
        }
    }

    fn reply(
        self,
        line: Line,
        note: Option<&DelayNote>,
        reply: LocalReply,
        closes: bool,
    ) -> Response<ProxyBody> {
        let response = reply.into_response(self.grpc).map(GuardedBody::local);
        self.made(line, note, response, closes)
    }

    /// An answer that was made here or by a filter.
    fn made(
        self,
        line: Line,
        note: Option<&DelayNote>,
        mut response: Response<GuardedBody>,
        closes: bool,
    ) -> Response<ProxyBody> {
        if let Some(made) = response.extensions_mut().remove::<Made>() {
            line.made(response.status(), &made, note);
        }
        if closes && self.http1 {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        if self.head {
            // The length that is told is that of the answer to a GET (RFC 9110 section 9.3.2).
            response = response.map(|_| GuardedBody::local(Bytes::new()));
        }
        respond::made(response).map(|inner| ProxyBody::new(inner, None))
    }
}

/// The flag of a fault without a delay in front of it: an answer before anything was awaited.
const ABORTED: &str = "FI";

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
