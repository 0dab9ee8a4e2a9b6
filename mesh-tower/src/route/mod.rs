//! Routing: from a request to a request with its route and cluster.
//!
//! # What it does
//! Loads the target's view once, finds virtual host, route and cluster, and computes the deadline.
//! Before the first view it waits: until the caller's deadline, or 15 s.
//!
//! # Reads
//! Method, scheme, authority, path, headers; the extensions [`WaitForReady`], [`CallerDeadline`].
//!
//! # Order
//! Outermost: everything else needs its decision.
//!
//! # Emits
//! `NoRoute`, `NoCluster`, `NotReady`.
//!
//! # Cancellation
//! Nothing is held while it waits.

use std::sync::Arc;

use http::{Request, Response};
use mesh_core::{
    Error, ErrorKind,
    policy::{deadline, head::RequestHead, matcher::grpc},
};

use crate::{
    body::RequestBody,
    clock,
    mesh::TargetCell,
    request::{CallerDeadline, Decision, Routed, WaitForReady},
    response::GuardedBody,
    serve::Serve,
};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Route<S> {
    target: Arc<TargetCell>,
    inner: S,
}

impl<S> Route<S> {
    pub(crate) const fn new(target: Arc<TargetCell>, inner: S) -> Self {
        Self { target, inner }
    }
}

impl<S> Serve<Request<RequestBody>> for Route<S>
where
    S: Serve<Routed, Response = Response<GuardedBody>>,
{
    type Response = Response<GuardedBody>;

    async fn serve(&self, request: Request<RequestBody>) -> Result<Self::Response, Error> {
        let arrival = clock::now();
        let routed = self
            .route(request, arrival)
            .await
            .map_err(|error| error.for_target(self.target.name().as_str()))?;
        let route = Arc::clone(&routed.decision.route);
        self.inner.serve(routed).await.map_err(|error| {
            error
                .on_route(&route.route.name)
                .for_target(self.target.name().as_str())
        })
    }
}

impl<S> Route<S> {
    async fn route(
        &self,
        request: Request<RequestBody>,
        arrival: std::time::Instant,
    ) -> Result<Routed, Error> {
        let own = request.extensions().get().map(|&CallerDeadline(own)| own);
        let own = deadline::earlier(own, deadline::parse_grpc_timeout(request.headers()));
        let view = match self.target.view() {
            Some(view) => view,
            None => self.target.wait(arrival, own).await?,
        };
        let draw = self.target.draw();
        let head = RequestHead::of(&request);
        let chosen = view.decide(&head, draw)?;
        let limit = match chosen.route.forward() {
            Ok(forward) => deadline::stream_limit(&forward.stream, request.headers()),
            Err(reason) => return Err(Error::new(ErrorKind::NoRoute, reason.to_string())),
        };
        let caller = request
            .extensions()
            .get()
            .map(|&CallerDeadline(limit)| limit);
        let limit = deadline::earlier(limit, caller);
        let grpc = grpc::is_grpc(request.headers());
        let decision = Decision {
            route: chosen.route,
            cluster: chosen.cluster,
            filters: chosen.filters,
            draw,
            grpc,
            wait_for_ready: request.extensions().get() == Some(&WaitForReady(true)),
            deadline: limit.and_then(|limit| arrival.checked_add(limit)),
        };
        Ok(Routed { request, decision })
    }
}
