//! Retries: sending again what policy says, and what never left.
//!
//! # What it does
//! Saves the head, makes the body replayable where a policy asks for it, and sends the request until
//! an answer is final. A request that no endpoint has seen (the connection was closed or draining,
//! the stream refused) is sent again whatever the policy, without a wait.
//!
//! # Reads
//! The route's [`RetryPolicy`](mesh_core::config::RetryPolicy), the cluster's retry limits,
//! `grpc-retry-pushback-ms`.
//!
//! # Order
//! Around each attempt, inside the route's timeout.
//!
//! # Emits
//! The last attempt's answer or error; `x-envoy-attempt-count` is left to header policy.
//!
//! # Cancellation
//! The attempt under way is dropped; the replay buffer goes with the future.

mod again;
mod replay;
mod saved;

use http::Response;
use mesh_core::Error;

use self::{again::Again, saved::Saved};
use crate::{request::Routed, response::GuardedBody, serve::Serve};

/// The most bytes of a request body that are kept to send it again; a longer one is sent once.
/// Envoy's limit is the connection's buffer limit, 1 MiB by default.
pub(crate) const REPLAY_LIMIT: usize = 1 << 20;

/// How often a request that never left is sent again. Each time another connection is tried; past
/// this the endpoints are refusing, not just closing.
const TRANSPARENT_RETRIES: u32 = 5;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Retry<S> {
    inner: S,
}

impl<S> Retry<S> {
    pub(crate) const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Serve<Routed> for Retry<S>
where
    S: Serve<Routed, Response = Response<GuardedBody>>,
{
    type Response = Response<GuardedBody>;

    async fn serve(&self, routed: Routed) -> Result<Self::Response, Error> {
        let Routed { request, decision } = routed;
        let policy = decision
            .route
            .forward()
            .ok()
            .and_then(|forward| forward.retry.as_deref());
        let (mut saved, first) = Saved::of(request, policy.is_some());
        let mut again = Again::new(policy, &decision);
        let mut request = first;
        loop {
            let attempt = Routed {
                request,
                decision: decision.clone(),
            };
            let answer = self.inner.serve(attempt).await;
            let wait = if saved.can_replay() {
                again.after(&answer)
            } else {
                None
            };
            let Some(wait) = wait else {
                saved.commit();
                return answer;
            };
            // Let go of the answer before the next attempt: it holds a place at its endpoint.
            drop(answer);
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            request = saved.replay();
        }
    }
}
