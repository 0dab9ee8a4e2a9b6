//! From a request that came in to the stack, and back: every request gets an answer.

mod admit;
mod body;
mod http1;
mod late;
mod log;
mod received;
mod respond;
mod seen;

use std::{pin::pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, Version, header::CONNECTION};
use hyper::body::{Body as _, Incoming};
use mesh_core::{
    Error, ErrorKind,
    bounds::Bound,
    config::ClientTimeouts,
    filter::DelayNote,
    local_reply::{LocalReply, Made},
    policy::matcher::grpc,
};

pub(crate) use self::body::ProxyBody;
use self::{
    admit::Refusal,
    late::{Exchange, in_time},
    log::Line,
    received::Received,
    seen::Seen,
};
use crate::{
    HttpClient,
    activity::{Activity, Late},
    alarm::Alarm,
    clock,
    response::GuardedBody,
};

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

    /// Answers one request. The alarm serves one after the other; what happens is noted in
    /// `activity`, which says when it takes too long.
    pub(crate) async fn answer(
        &self,
        mut request: Request<Incoming>,
        alarm: &mut Alarm,
        activity: Option<&Arc<Activity>>,
    ) -> Response<ProxyBody> {
        let arrival = clock::now();
        admit::join_lines(&mut request);
        let seen = Seen::of(request.headers());
        let asked = Asked::of(&request, seen);
        let arriving = !request.body().is_end_stream();
        let exchange = activity.map(|activity| Exchange::begin(activity, arrival, arriving));
        let line = Line::begin(&request);
        let note = line.note(&mut request);
        let (reply, closes) = match admit::admit(&mut request, seen) {
            Ok(()) => {
                let (head, body) = request.into_parts();
                let (body, arrived) = Received::of(body, head.version, activity);
                let watched = activity.map(Arc::as_ref);
                // Pinned here and not moved any more: it is large.
                let sent = pin!(self.client.exchange(head, body, arrival, alarm, watched));
                match in_time(sent, exchange.as_ref()).await {
                    Ok(response) => {
                        let now = clock::now();
                        if let Some(exchange) = &exchange {
                            exchange.touch(now);
                        }
                        let Some(made) = response.extensions().get::<Made>() else {
                            let ending = line.at_end(&response, note);
                            let response = respond::passed(response, now - arrival);
                            return response.map(|inner| ProxyBody::new(inner, ending, exchange));
                        };
                        let closes = arriving && made.flag == ABORTED;
                        return asked.made(line, note.as_ref(), response, closes);
                    }
                    Err(error) => {
                        let late = exchange.as_ref().and_then(Exchange::late);
                        failed(&error, late, arriving, !arrived.wholly())
                    }
                }
            }
            Err(refusal) => (refusal.reply(), arriving || refusal.closes()),
        };
        if let Some(exchange) = exchange {
            exchange.touch(clock::now());
        }
        asked.reply(line, note.as_ref(), reply, closes)
    }

    /// What is answered to a client whose request has not even come to the end of its head.
    pub(crate) fn late_head(late: Late) -> LocalReply {
        let reply = late::reply(late, true);
        let made = Made {
            flag: reply.flag,
            details: reply.details.clone(),
        };
        Line::unread().made(reply.status, &made, None);
        reply
    }

    /// How long clients may take, where the configuration says so.
    pub(crate) fn timeouts(&self) -> ClientTimeouts {
        self.client.timeouts()
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
        respond::made(response).map(|inner| ProxyBody::new(inner, None, None))
    }
}

/// The answer to a request that has failed, and whether its connection ends with it; by what it was
/// `late`, whether more of it was `arriving` when it began, and whether it is `incomplete` now.
fn failed(
    error: &Error,
    late: Option<Late>,
    arriving: bool,
    incomplete: bool,
) -> (LocalReply, bool) {
    match late {
        Some(late) => (late::reply(late, incomplete), incomplete),
        // Whoever has more to say would say it to nobody.
        None if incomplete => (LocalReply::of(error).while_incomplete(), true),
        None => (LocalReply::of(error), arriving && is_early(error)),
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
