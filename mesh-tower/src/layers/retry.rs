//! Retries by a fixed policy.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use mesh_core::{
    Error, config::RetryPolicy, entropy::Entropy, error::BoxError, policy::matcher::grpc,
};
use tower_layer::Layer;
use tower_service::Service;

use super::{LayerFuture, TimedBody, inner, timeout::within};
use crate::{
    body::RequestBody,
    request::eager,
    retry::{Again, Attempts, send_until_final},
    timeout::Scope,
};

/// Sends again what a policy says, and what never left.
///
/// The policy is that of a route: conditions, number, back-off, `per_try_timeout`; a service's
/// `grpc-retry-pushback-ms` is obeyed. A body that streams is kept up to 1 MiB; a longer one is sent
/// once. There is no limit on retries over all requests: one request makes as many as its policy
/// says.
///
/// ```
/// use http_body_util::Full;
/// use mesh_core::config::{BackoffConfig, RetryConditions, RetryPolicy};
/// use mesh_tower::layers::RetryLayer;
/// use tower_layer::Layer;
/// use tower_service::Service;
/// # use mesh_core::{config::*, source::FixedSource};
/// # use mesh_testkit::{EchoServer, echo::Behaviour};
/// # use mesh_tower::Mesh;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = EchoServer::http1().start();
/// # server.next(1, Behaviour::status(503));
/// # let endpoints = EndpointsConfig::of([Address::Socket(server.socket())]);
/// # let cluster = ClusterConfig::new("shop", Discovery::Static(endpoints.into()), Dialect::Envoy);
/// # let source = FixedSource::new();
/// # source.set("shop", SnapshotBuilder::new("shop").cluster(cluster).build()?);
/// # let client = Mesh::builder().source(source).spawn()?.http_client("shop");
/// let policy = RetryPolicy {
///     on: RetryConditions::FIVE_XX,
///     status_codes: Vec::new(),
///     num_retries: 2,
///     per_try_timeout: None,
///     backoff: BackoffConfig::default(),
/// };
/// let mut service = RetryLayer::new(policy).layer(client);
/// let request = http::Request::post("http://shop.test/").body(Full::from("two apples"))?;
/// let response = service.call(request).await?;
/// assert_eq!(response.status(), 200);
/// # assert_eq!(server.count(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RetryLayer {
    policy: Arc<RetryPolicy>,
}

impl RetryLayer {
    /// Retries by this policy.
    #[must_use]
    pub fn new(policy: RetryPolicy) -> Self {
        let policy = Arc::new(policy);
        Self { policy }
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;

    fn layer(&self, inner: S) -> Retry<S> {
        let policy = Arc::clone(&self.policy);
        Retry { policy, inner }
    }
}

/// The service of a [`RetryLayer`].
#[derive(Clone, Debug)]
pub struct Retry<S> {
    policy: Arc<RetryPolicy>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Retry<S>
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
        let service = self.clone();
        Box::pin(async move {
            let policy = Arc::clone(&service.policy);
            let grpc = grpc::is_grpc(request.headers());
            let again = Again::new(Some(policy), grpc, Entropy::system().draw());
            let request = eager(request).await?;
            send_until_final(again, Calls { service, request }).await
        })
    }
}

/// The attempts of one request.
struct Calls<S> {
    service: Retry<S>,
    request: Request<RequestBody>,
}

impl<S, R> Attempts for Calls<S>
where
    S: Service<Request<RequestBody>, Response = Response<R>> + Clone + Send,
    S::Error: Into<BoxError>,
    S::Future: Send,
    R: Send,
{
    type Body = TimedBody<R>;
    type Permit = ();

    fn request(&mut self) -> &mut Request<RequestBody> {
        &mut self.request
    }

    async fn send(&mut self) -> Result<Response<TimedBody<R>>, Error> {
        let request = std::mem::take(&mut self.request);
        let service = self.service.inner.clone();
        match self.service.policy.per_try_timeout {
            Some(limit) => {
                let send = |request| inner::call(service, request);
                within(request, limit, Scope::Attempt, send).await
            }
            None => {
                let answer = inner::call(service, request).await?;
                Ok(TimedBody::timed(answer, |_| {}))
            }
        }
    }

    fn permit(&mut self) -> Option<()> {
        Some(())
    }
}
