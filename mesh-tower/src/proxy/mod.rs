//! From a request that came in to the stack, and back: every request gets an answer.

mod admit;
mod log;
mod respond;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, Version, header::CONNECTION};
use hyper::body::{Body as _, Incoming};
use mesh_core::{Error, ErrorKind, local_reply::LocalReply, policy::matcher::grpc};

use self::log::Line;
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
        let (grpc, head) = (
            grpc::is_grpc(request.headers()),
            request.method() == Method::HEAD,
        );
        let line = Line::begin(&request);
        let http1 = request.version() == Version::HTTP_11;
        let arriving = !request.body().is_end_stream();
        let close;
        let reply = match admit::admit(&mut request) {
            Ok(()) => match self.client.send(request).await {
                Ok(response) => {
                    line.answered(&response);
                    return respond::passed(response, arrival);
                }
                Err(error) => {
                    close = arriving && is_early(&error);
                    LocalReply::of(&error)
                }
            },
            Err(refusal) => {
                close = arriving || refusal.ends_connection();
                refusal.reply()
            }
        };
        line.replied(&reply);
        // The length that is told is that of the answer to a GET (RFC 9110 section 9.3.2).
        let body = |body| GuardedBody::local(if head { Bytes::new() } else { body });
        let mut response = respond::made(reply.into_response(grpc).map(body));
        if close && http1 {
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
