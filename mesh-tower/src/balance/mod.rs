//! Balancing: from a cluster to a connection of one of its endpoints.
//!
//! # What it does
//! Picks an endpoint, waits where the picker says that one will come, and sends over the endpoint's
//! pool. The request counts as under way until its response body has been read.
//!
//! # Reads
//! The cluster's picker, once per attempt; `wait_for_ready`.
//!
//! # Order
//! Innermost: each attempt picks anew.
//!
//! # Emits
//! `NoEndpoint`, `Connect`, `Overloaded`, `Dropped`, and whatever the pool reports.
//!
//! # Cancellation
//! Dropping the future frees the place it held and resets the stream.

use std::sync::Arc;

use http::Response;
use mesh_core::{
    Error, ErrorKind,
    entropy::Entropy,
    runtime::{Outcome, Pick, Picked},
};

use crate::{
    connect::{Pool, Pools, SendError},
    mesh::TargetCell,
    request::{Decision, Routed},
    response::GuardedBody,
    serve::Serve,
};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Balance {
    pools: Pools,
    entropy: Entropy,
}

impl Balance {
    pub(crate) fn new(target: &TargetCell) -> Self {
        Self {
            pools: target.pools().clone(),
            entropy: Entropy::system(),
        }
    }

    /// Picks, waiting while the picker queues. The stream deadline above bounds the wait.
    async fn pick(&self, decision: &Decision) -> Result<Picked<Pool>, Error> {
        let cluster = &decision.cluster;
        let mut place = None;
        loop {
            let seen = cluster.version();
            let refusal = match cluster.pick(&self.entropy) {
                Pick::Use(picked) => return Ok(picked),
                Pick::Drop(category) => {
                    let text = format!("dropped, as the control plane asks for {category}");
                    return Err(Error::new(ErrorKind::Dropped, text));
                }
                Pick::Fail(error) if !decision.wait_for_ready || !waits(&error) => {
                    return Err(error);
                }
                Pick::Fail(_) | Pick::Queue => Error::new(
                    ErrorKind::Overloaded,
                    "too many requests wait for a connection (max_pending_requests)",
                ),
            };
            if place.is_none() {
                let limits = cluster.config().limits;
                place = Some(cluster.state().try_pending(&limits).ok_or(refusal)?);
            }
            cluster.changed(seen).await;
        }
    }
}

/// Whether waiting can help: there was no endpoint to be had, no limit was reached.
fn waits(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NoEndpoint | ErrorKind::Connect | ErrorKind::ConnectTimeout
    )
}

impl Serve<Routed> for Balance {
    type Response = Response<GuardedBody>;

    async fn serve(&self, routed: Routed) -> Result<Self::Response, Error> {
        let Routed { request, decision } = routed;
        let cluster = Arc::clone(&decision.cluster);
        let named = |error: Error| error.in_cluster(cluster.name().as_str());
        let Picked {
            endpoint,
            mut guard,
        } = self.pick(&decision).await.map_err(named)?;
        let pool = self.pools.of(&cluster, &endpoint);
        match pool.send(request, &cluster.config().limits).await {
            Ok(response) => Ok(GuardedBody::guard(response, guard, decision.grpc)),
            Err(SendError { error, .. }) => {
                guard.record(Outcome::Failure);
                Err(named(error.at_endpoint(endpoint.state().key().as_str())))
            }
        }
    }
}
