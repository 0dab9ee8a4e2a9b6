//! The way out for plain HTTP: a `tower` service over `http::Request`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body::Body;
use mesh_core::{Error, config::ClientTimeouts, error::BoxError};
use tower_service::Service;

use crate::{
    activity::Activity,
    alarm::Alarm,
    clock,
    inspect::Inspection,
    mesh::TargetCell,
    observe::KnownMethods,
    response::GuardedBody,
    stack::{self, Outbound},
};

/// Sends HTTP requests to one target through the mesh. Cheap to clone, always ready.
///
/// The request's authority (of its URI, or its `host` header) chooses the virtual host; its path is
/// matched and sent as it is.
#[derive(Clone)]
pub struct HttpClient {
    stack: Arc<Outbound>,
    target: Arc<TargetCell>,
    calls: Option<KnownMethods>,
}

impl HttpClient {
    pub(crate) fn new(target: Arc<TargetCell>) -> Self {
        Self {
            stack: Arc::new(stack::outbound(Arc::clone(&target))),
            target,
            calls: None,
        }
    }

    /// For a client of gRPC calls alone: their `grpc-timeout` is the caller's own deadline, in every
    /// dialect, and observers count them by method, where `methods` finds one in a request's extensions.
    /// Without it they count as one: names that anybody can make up would make any number of series.
    #[must_use]
    pub fn for_calls(mut self, methods: KnownMethods) -> Self {
        self.calls = Some(methods);
        self
    }

    /// Sends a request. The same as the `tower` service, without its box.
    ///
    /// # Errors
    /// When no answer came; answers of any status are answers.
    pub fn send<B>(
        &self,
        request: Request<B>,
    ) -> impl Future<Output = Result<Response<GuardedBody>, Error>> + Send + use<B>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let (stack, calls) = (Arc::clone(&self.stack), self.calls);
        async move {
            let arrival = clock::now();
            let alarm = &mut Alarm::default();
            let (head, body) = request.into_parts();
            stack.serve(head, body, arrival, calls, alarm, None).await
        }
    }

    /// The same of a request that has arrived then, with an alarm that serves one after the other.
    pub(crate) fn exchange<B>(
        &self,
        head: Parts,
        body: B,
        arrival: Instant,
        alarm: &mut Alarm,
        activity: Option<&Activity>,
    ) -> impl Future<Output = Result<Response<GuardedBody>, Error>> + Send
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let calls = self.calls;
        self.stack
            .serve(head, body, arrival, calls, alarm, activity)
    }

    /// What requests meet at this moment; `None` while the target has no configuration.
    #[must_use]
    pub fn inspect(&self) -> Option<Inspection> {
        self.target.view().map(Inspection::new)
    }

    /// How long whoever sends requests here may take, where the configuration says so.
    pub(crate) fn timeouts(&self) -> ClientTimeouts {
        let view = self.target.view();
        view.map(|view| view.listener().timeouts)
            .unwrap_or_default()
    }

    /// Waits until the target has a configuration and one of its endpoints is connected: for
    /// readiness probes at start-up.
    ///
    /// # Errors
    /// When the configuration is absent or none of its clusters can be used; or when it has not come,
    /// or nothing is connected, after 15 s.
    pub async fn ready(&self) -> Result<(), Error> {
        self.target.ready().await
    }
}

impl<B> Service<Request<B>> for HttpClient
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<GuardedBody>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("target", self.target.name())
            .finish_non_exhaustive()
    }
}
