//! What happens to a call around the echo service: scripted failures, resets and trailers.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use h2::Reason;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use tokio::sync::watch;
use tonic::{Code, Status};
use tower_service::Service;

use super::service::EchoCalls;
use crate::echo::{InFlight, Journal};
use crate::generated::mesh::test::v1::echo_server::EchoServer;
use crate::net::{Answer, Answering, Body, BoxError, Failure};

/// What a test has asked of the server.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) fail_next: Queue<Code>,
    pub(super) fail_always: Option<Code>,
    pub(super) reset_next: Queue<Reason>,
    pub(super) fail_after_headers: bool,
    pub(super) pushback: Option<i64>,
    pub(super) trailers: HeaderMap,
    pub(super) delay: Duration,
}

/// Values, each for a number of calls.
#[derive(Debug)]
pub(super) struct Queue<T>(VecDeque<(usize, T)>);

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: Copy> Queue<T> {
    pub(super) fn push(&mut self, count: usize, value: T) {
        if count > 0 {
            self.0.push_back((count, value));
        }
    }

    fn pop(&mut self) -> Option<T> {
        let (count, value) = self.0.front_mut()?;
        let value = *value;
        *count -= 1;
        if *count == 0 {
            self.0.pop_front();
        }
        Some(value)
    }
}

/// What the script says of one call.
struct Shape {
    reset: Option<Reason>,
    fail: Option<Code>,
    after_headers: bool,
    pushback: Option<HeaderValue>,
    trailers: HeaderMap,
    delay: Duration,
}

impl Shape {
    /// Completes the headers that end a call.
    fn finish(&self, end: &mut HeaderMap) {
        end.extend(self.trailers.clone());
        let failed = end.get("grpc-status").is_some_and(|code| code != "0");
        if let (true, Some(pushback)) = (failed, &self.pushback) {
            end.insert("grpc-retry-pushback-ms", pushback.clone());
        }
    }
}

/// What tonic hides from a service: the path and the authority of the request.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) path: String,
    pub(super) authority: String,
}

/// The state behind a gRPC echo server.
#[derive(Debug)]
pub(super) struct Shaping {
    calls: EchoServer<EchoCalls>,
    server_id: HeaderValue,
    script: Mutex<Script>,
    pub(super) held: watch::Sender<bool>,
    pub(super) journal: Arc<Journal>,
}

impl Shaping {
    pub(super) fn new(server_id: String) -> Self {
        let id = HeaderValue::from_str(&server_id).expect("a server id of plain text");
        Self {
            calls: EchoServer::new(EchoCalls::new(server_id)),
            server_id: id,
            script: Mutex::default(),
            held: watch::Sender::default(),
            journal: Arc::default(),
        }
    }

    pub(super) fn with_script<T>(&self, act: impl FnOnce(&mut Script) -> T) -> T {
        act(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn next_shape(&self) -> Shape {
        self.with_script(|script| {
            let reset = script.reset_next.pop();
            let fail = match reset {
                Some(_) => None,
                None => script.fail_next.pop().or(script.fail_always),
            };
            let mut trailers = script.trailers.clone();
            trailers.insert("server-id", self.server_id.clone());
            Shape {
                reset,
                fail,
                after_headers: script.fail_after_headers,
                pushback: script.pushback.map(HeaderValue::from),
                trailers,
                delay: script.delay,
            }
        })
    }

    async fn call(
        &self,
        connection: u64,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, BoxError> {
        let (mut head, body) = request.into_parts();
        let (seen, in_flight) = self.journal.begin(connection, &head);
        let shape = self.next_shape();
        let _ = self.held.subscribe().wait_for(|held| !held).await;
        tokio::time::sleep(shape.delay).await;
        if let Some(reason) = shape.reset {
            in_flight.answered();
            return Err(h2::Error::from(reason).into());
        }
        if let Some(code) = shape.fail {
            in_flight.answered();
            return Ok(failure(code, &shape));
        }
        head.extensions.insert(Facts {
            path: seen.path,
            authority: seen.authority,
        });
        let request = Request::from_parts(head, body);
        let response = self.calls.clone().call(request).await?;
        Ok(shaped(response, shape, in_flight))
    }
}

impl Answer for Shaping {
    fn answer(self: Arc<Self>, connection: u64, request: Request<Incoming>) -> Answering {
        Box::pin(async move { self.call(connection, request).await.map_err(Failure) })
    }
}

/// A call that fails without being served.
fn failure(code: Code, shape: &Shape) -> Response<Body> {
    let mut status = HeaderMap::new();
    Status::new(code, "as scripted")
        .add_header(&mut status)
        .expect("a message of plain text");
    shape.finish(&mut status);
    let mut response = Response::new(crate::net::full(Bytes::new()));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/grpc");
    headers.insert(http::header::CONTENT_TYPE, kind);
    if shape.after_headers {
        let trailers = stream::iter([Ok::<_, BoxError>(Frame::<Bytes>::trailers(status))]);
        *response.body_mut() = StreamBody::new(trailers).boxed_unsync();
    } else {
        headers.extend(status);
    }
    response
}

/// The service's response, with what the script adds to its end.
fn shaped(
    response: Response<tonic::body::Body>,
    shape: Shape,
    in_flight: InFlight,
) -> Response<Body> {
    let (mut head, inner) = response.into_parts();
    if head.headers.contains_key("grpc-status") {
        shape.finish(&mut head.headers);
        in_flight.answered();
        return Response::from_parts(head, inner.map_err(Into::into).boxed_unsync());
    }
    let end = Some((shape, in_flight));
    Response::from_parts(head, ShapedBody { inner, end }.boxed_unsync())
}

/// A response body whose trailers get what the script adds.
struct ShapedBody {
    inner: tonic::body::Body,
    end: Option<(Shape, InFlight)>,
}

impl http_body::Body for ShapedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        let Some(Ok(mut frame)) = frame else {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        };
        if let Some(trailers) = frame.trailers_mut()
            && let Some((shape, in_flight)) = self.end.take()
        {
            shape.finish(trailers);
            in_flight.answered();
        }
        Poll::Ready(Some(Ok(frame)))
    }
}
