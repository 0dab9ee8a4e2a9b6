//! A request that has been routed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body::Body;
use mesh_core::{
    Error, ErrorKind,
    error::BoxError,
    filter::FilterChain,
    policy::{
        deadline::{GRPC_TIMEOUT, format_grpc_timeout},
        route::CompiledRoute,
    },
    runtime::{ClusterRuntime, Endpoint},
};

use crate::{alarm::Alarm, body::RequestBody, clock, connect::Pool, millis, observe::Account};

/// How many milliseconds the answer may take.
static EXPECTED_TIMEOUT: HeaderName = HeaderName::from_static("x-envoy-expected-rq-timeout-ms");

/// A request with its route and its cluster. Layers below the router take nothing else, so a stack
/// in the wrong order does not compile.
///
/// It holds its own route and cluster, never the whole view: a long stream pins only those.
#[derive(Debug)]
pub(crate) struct Routed {
    /// What is to be sent.
    pub(crate) request: Request<RequestBody>,
    /// What was decided for it.
    pub(crate) decision: Decision,
    /// What observers will be told of it.
    pub(crate) account: Account,
    /// How many attempts were begun.
    pub(crate) attempts: u32,
    /// When the route's timeout is over, if it runs from the start.
    pub(crate) route_ends: Option<Instant>,
    /// When the attempt under way began, or the way to the first.
    pub(crate) began: Instant,
    /// What wakes the attempt under way when it is late.
    pub(crate) alarm: Alarm,
    /// The endpoint of the attempt under way: an error of who cuts it short can name it.
    pub(crate) endpoint: Option<Arc<Endpoint<Pool>>>,
}

/// What was decided for a request; shared by its attempts.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    /// The route that took it.
    pub(crate) route: Arc<CompiledRoute>,
    /// The cluster that serves it. Retries stay in it.
    pub(crate) cluster: Arc<ClusterRuntime<Pool>>,
    /// The filters it passes.
    pub(crate) filters: FilterChain,
    /// The request's random number: one draw serves all decisions on it.
    pub(crate) draw: u64,
    /// Whether its content-type is gRPC's.
    pub(crate) grpc: bool,
    /// Whether it waits for an endpoint where others fail at once.
    pub(crate) wait_for_ready: bool,
    /// When it is over, whatever happens: `max_stream_duration` or the caller's deadline.
    pub(crate) deadline: Option<Instant>,
}

/// The request with a body that connections send. It is polled once here: a body that is all there
/// becomes full, and costs no stream.
pub(crate) async fn eager<B>(request: Request<B>) -> Result<Request<RequestBody>, Error>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let (head, body) = request.into_parts();
    let body = RequestBody::eager(body).await.map_err(body_failed)?;
    Ok(Request::from_parts(head, body))
}

/// The error of a request that is over before it began, since its body failed.
pub(crate) fn body_failed(source: BoxError) -> Error {
    Error::new(ErrorKind::BadRequest, "the request body failed").with_source(source)
}

impl Decision {
    /// Tells the endpoint how long its answer may take: gRPC calls their deadline (gRFC A31), and all
    /// requests what the route's clocks allow (Envoy). `ends`: when the route's is over, for a retry.
    pub(crate) fn tell_limits(&self, headers: &mut HeaderMap, ends: Option<Instant>) {
        if let Some(deadline) = self.deadline.filter(|_| self.grpc) {
            let left = deadline.saturating_duration_since(clock::now());
            headers.insert(&GRPC_TIMEOUT, format_grpc_timeout(left));
        }
        if let Some(expected) = self.expected() {
            let value = match ends {
                None => millis::configured(whole_millis(expected)),
                // A retry has only what is left.
                Some(ends) => {
                    let left = ends.saturating_duration_since(clock::now());
                    HeaderValue::from(whole_millis(expected.min(left)))
                }
            };
            headers.insert(&EXPECTED_TIMEOUT, value);
        }
    }

    /// The attempt's own limit or else the route's.
    fn expected(&self) -> Option<Duration> {
        let forward = self.route.forward().ok()?;
        let of_attempt = forward.retry.as_ref().and_then(|it| it.per_try_timeout);
        // One that is not below the route's has no effect.
        let below = |it: &Duration| forward.timeout.is_none_or(|whole| *it < whole);
        of_attempt.filter(below).or(forward.timeout)
    }
}

/// At least one.
fn whole_millis(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Asks that a request waits, until its deadline, for an endpoint that can be picked, where it would
/// otherwise fail at once (gRPC's wait-for-ready). Put into the request's extensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitForReady(pub bool);

/// The caller's own deadline: how long the whole exchange may take from here. The shorter of this and
/// the route's limit counts. Put into the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerDeadline(pub Duration);
