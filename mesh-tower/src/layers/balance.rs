//! Balancing over a fixed set of services.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use mesh_core::{
    Error, ErrorKind,
    config::{LbPolicyConfig, LeastRequestWeights},
    entropy::Entropy,
    error::BoxError,
    lb::{self, Loads, PickContext, Picker},
};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{LayerFuture, inner};

/// Spreads requests over a fixed set of services, all equal.
///
/// It does not look at their health: a service that fails is picked again in its turn. Put a
/// [`RetryLayer`](super::RetryLayer) around the balance to try another one.
///
/// ```
/// use http_body_util::Empty;
/// use mesh_tower::layers::BalanceLayer;
/// use tower_layer::Layer;
/// use tower_service::Service;
/// # use mesh_core::{config::*, source::FixedSource};
/// # use mesh_testkit::EchoServer;
/// # use mesh_tower::{HttpClient, Mesh};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
/// # let source = FixedSource::new();
/// # for (server, name) in servers.iter().zip(["near", "far"]) {
/// #     let endpoints = EndpointsConfig::of([Address::Socket(server.socket())]);
/// #     let cluster = ClusterConfig::new(name, Discovery::Static(endpoints.into()), Dialect::Envoy);
/// #     source.set(name, SnapshotBuilder::new(name).cluster(cluster).build()?);
/// # }
/// # let mesh = Mesh::builder().source(source).spawn()?;
/// # let (near, far) = (mesh.http_client("near"), mesh.http_client("far"));
/// let mut service = BalanceLayer::round_robin().layer(vec![near, far]);
/// for _ in 0..4 {
///     let request = http::Request::get("http://shop.test/").body(Empty::new())?;
///     assert_eq!(service.call(request).await?.status(), 200);
/// }
/// # assert_eq!(servers.map(|server| server.count()), [2, 2]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BalanceLayer {
    policy: LbPolicyConfig,
}

impl BalanceLayer {
    /// One after the other, from a random one on.
    #[must_use]
    pub const fn round_robin() -> Self {
        let policy = LbPolicyConfig::RoundRobin { weighted: false };
        Self { policy }
    }

    /// Of two random ones, the one with fewer requests under way (power of two choices).
    #[must_use]
    pub const fn least_request() -> Self {
        let policy = LbPolicyConfig::LeastRequest {
            choices: 2,
            weights: LeastRequestWeights::Ignore,
        };
        Self { policy }
    }

    /// Any, all equally likely.
    #[must_use]
    pub const fn random() -> Self {
        let policy = LbPolicyConfig::Random;
        Self { policy }
    }
}

impl<S> Layer<Vec<S>> for BalanceLayer {
    type Service = Balance<S>;

    fn layer(&self, services: Vec<S>) -> Balance<S> {
        let entropy = Entropy::system();
        let picker = lb::picker(&self.policy, &vec![1; services.len()], entropy.draw());
        let active = services.iter().map(|_| AtomicU32::new(0)).collect();
        Balance(Arc::new(Set {
            services: services.into(),
            picker,
            active: Active(active),
            entropy,
        }))
    }
}

/// The service of a [`BalanceLayer`]. A request counts as under way until its response body has been
/// read or dropped. Without services every request fails with
/// [`ErrorKind::NoEndpoint`](mesh_core::ErrorKind::NoEndpoint).
pub struct Balance<S>(Arc<Set<S>>);

struct Set<S> {
    services: Box<[S]>,
    // None if there is nothing to pick.
    picker: Option<Box<dyn Picker>>,
    active: Active,
    entropy: Entropy,
}

/// The requests under way at each service.
#[derive(Clone, Debug)]
struct Active(Arc<[AtomicU32]>);

impl<S, B, R> Service<Request<B>> for Balance<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Send + 'static,
    R: Body + Send + 'static,
{
    type Response = Response<CountedBody<R>>;
    type Error = Error;
    type Future = LayerFuture<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let picked = self.0.pick();
        Box::pin(async move {
            let Some((service, place)) = picked else {
                return Err(Error::new(ErrorKind::NoEndpoint, "there is no service"));
            };
            let answer = inner::call(service, request).await?;
            Ok(answer.map(|inner| CountedBody {
                place: Some(place).filter(|_| !inner.is_end_stream()),
                inner,
            }))
        })
    }
}

impl<S: Clone> Set<S> {
    fn pick(&self) -> Option<(S, Place)> {
        let entropy = &self.entropy;
        let index = self
            .picker
            .as_ref()?
            .pick(&PickContext { entropy }, &self.active);
        let service = self.services.get(index)?.clone();
        Some((service, self.active.enter(index)))
    }
}

/// Relaxed: a count that guards nothing, each change of which is one step.
impl Active {
    fn enter(&self, index: usize) -> Place {
        if let Some(count) = self.0.get(index) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let active = self.clone();
        Place { active, index }
    }
}

impl Loads for Active {
    fn active(&self, index: usize) -> u32 {
        let count = self.0.get(index);
        count.map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

/// Counts one request at a service until dropped.
#[derive(Debug)]
struct Place {
    active: Active,
    index: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(count) = self.active.0.get(self.index) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

pin_project! {
    /// A response body whose request counts as under way until it has been read or dropped.
    #[derive(Debug)]
    pub struct CountedBody<B> {
        #[pin]
        inner: B,
        place: Option<Place>,
    }
}

impl<B: Body> Body for CountedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = std::task::ready!(this.inner.as_mut().poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) || this.inner.is_end_stream() {
            *this.place = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<S> Clone for Balance<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for Balance<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Balance")
            .field("picker", &self.0.picker)
            .field("active", &self.0.active)
            .finish_non_exhaustive()
    }
}
