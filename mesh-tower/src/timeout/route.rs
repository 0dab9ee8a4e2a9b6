//! The clock over all attempts.

use http::Response;
use mesh_core::{Error, ErrorKind};

use super::{Scope, while_sent};
use crate::{request::Routed, response::GuardedBody, serve::Serve};

/// See the [module](super).
#[derive(Debug)]
pub(crate) struct RouteTimeout<S> {
    inner: S,
}

impl<S> RouteTimeout<S> {
    pub(crate) const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S: Serve> Serve for RouteTimeout<S> {
    async fn serve(&self, routed: &mut Routed) -> Result<Response<GuardedBody>, Error> {
        let forward = routed.decision.route.forward().ok();
        let limit = forward.and_then(|forward| forward.timeout);
        if let Some(limit) = limit {
            if routed.request.body().as_full().is_none() {
                // Boxed: few requests come in parts, and all would carry the room for it.
                return Box::pin(while_sent(&self.inner, routed, limit, Scope::Route)).await;
            }
            // Whoever waits below looks at it, so that it takes no timer of its own.
            routed.route_ends = routed.began.checked_add(limit);
        }
        let mut answer = self.inner.serve(routed).await;
        if let Ok(response) = &mut answer
            && let Some(ends) = routed.route_ends
        {
            let clocks = response.body_mut().clocks();
            clocks.until(ends, ErrorKind::RouteTimeout);
        }
        answer
    }
}
