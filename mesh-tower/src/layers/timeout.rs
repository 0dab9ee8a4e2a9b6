//! A fixed bound on how long an exchange or an answer may take.

use std::{
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use mesh_core::{Error, ErrorKind, error::BoxError};
use tower_layer::Layer;
use tower_service::Service;

use super::{LayerFuture, TimedBody, inner};
use crate::{
    body::RequestBody,
    clock, deadline,
    request::eager,
    timeout::{EndOfRequest, Scope, bounded},
};

/// Bounds how long a request may take, to the end of its response body.
///
/// What is late is dropped, which resets its stream; a body that is late fails when it is read.
///
/// ```
/// use std::time::Duration;
///
/// use http_body_util::Empty;
/// use mesh_core::ErrorKind;
/// use mesh_tower::layers::TimeoutLayer;
/// use tower_layer::Layer;
/// use tower_service::Service;
/// # use mesh_core::{config::*, source::FixedSource};
/// # use mesh_testkit::EchoServer;
/// # use mesh_tower::Mesh;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = EchoServer::http1().start();
/// # let endpoints = EndpointsConfig::of([Address::Socket(server.socket())]);
/// # let cluster = ClusterConfig::new("shop", Discovery::Static(endpoints.into()), Dialect::Envoy);
/// # let source = FixedSource::new();
/// # source.set("shop", SnapshotBuilder::new("shop").cluster(cluster).build()?);
/// # let client = Mesh::builder().source(source).spawn()?.http_client("shop");
/// let mut service = TimeoutLayer::of_exchange(Duration::from_millis(100)).layer(client);
/// # server.hold();
/// let request = http::Request::get("http://shop.test/").body(Empty::new())?;
/// let error = service.call(request).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::StreamDeadline);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TimeoutLayer {
    limit: Duration,
    start: Start,
}

/// When the clock starts.
#[derive(Clone, Copy, Debug)]
enum Start {
    Call,
    EndOfRequest,
}

impl TimeoutLayer {
    /// From the call on: the request's body counts. Late is
    /// [`ErrorKind::StreamDeadline`](mesh_core::ErrorKind::StreamDeadline). A limit of zero lets
    /// nothing pass.
    #[must_use]
    pub const fn of_exchange(limit: Duration) -> Self {
        let start = Start::Call;
        Self { limit, start }
    }

    /// From the end of the request on, as Envoy's route `timeout`: an upload may take as long as it
    /// likes. Late is [`ErrorKind::RouteTimeout`](mesh_core::ErrorKind::RouteTimeout).
    #[must_use]
    pub const fn of_answer(limit: Duration) -> Self {
        let start = Start::EndOfRequest;
        Self { limit, start }
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = Timeout<S>;

    fn layer(&self, inner: S) -> Timeout<S> {
        let layer = *self;
        Timeout { layer, inner }
    }
}

/// The service of a [`TimeoutLayer`].
#[derive(Clone, Debug)]
pub struct Timeout<S> {
    layer: TimeoutLayer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Timeout<S>
where
    S: Service<Request<RequestBody>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
    R: Send + 'static,
{
    type Response = Response<TimedBody<R>>;
    type Error = Error;
    type Future = LayerFuture<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { layer, inner } = self.clone();
        Box::pin(async move {
            match layer.start {
                Start::Call => of_exchange(inner, layer.limit, request).await,
                Start::EndOfRequest => {
                    let request = eager(request).await?;
                    let send = |request| inner::call(inner, request);
                    within(request, layer.limit, Scope::Route, send).await
                }
            }
        })
    }
}

async fn of_exchange<S, B, R>(
    service: S,
    limit: Duration,
    request: Request<B>,
) -> Result<Response<TimedBody<R>>, Error>
where
    S: Service<Request<RequestBody>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let now = clock::now();
    // Out of reach if the sum is: no limit.
    let at = now.checked_add(limit);
    deadline::not_passed(at, now)?;
    let answer = inner::call(service, eager(request).await?);
    let answer = match at {
        Some(at) => tokio::time::timeout_at(at.into(), answer)
            .await
            .map_err(|_| deadline::expired())?,
        None => answer.await,
    };
    Ok(TimedBody::timed(answer?, |clocks| {
        if let Some(at) = at {
            clocks.until(at, ErrorKind::StreamDeadline);
        }
    }))
}

/// Sends a request whose answer may take `limit` from the end of the request.
pub(super) async fn within<R, F: Future<Output = Result<Response<R>, Error>>>(
    mut request: Request<RequestBody>,
    limit: Duration,
    scope: Scope,
    send: impl FnOnce(Request<RequestBody>) -> F,
) -> Result<Response<TimedBody<R>>, Error> {
    let ended = EndOfRequest::of(request.body_mut());
    let answer = pin!(send(request));
    let (response, expiry) = bounded(ended, limit, scope, answer).await?;
    Ok(TimedBody::timed(response, |clocks| expiry.set(clocks)))
}
