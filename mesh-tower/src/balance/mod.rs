//! Balancing: from a cluster to a connection of one of its endpoints.
//!
//! # What it does
//! Picks an endpoint, waits where the picker says that one will come, and sends over the endpoint's
//! pool; if no connection can be made, over another's. The request counts as under way until its
//! response body has been read.
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

use http::Response;
use mesh_core::{
    Error, ErrorKind,
    config::{Fraction, Transport},
    entropy::Entropy,
    error::Origin,
    runtime::{Outcome, Pick, Picked},
};

use crate::{
    connect::{Pool, Pools, too_many},
    mesh::TargetCell,
    request::{Decision, Routed},
    response::GuardedBody,
    serve::Serve,
};

/// How many more endpoints are tried for a request whose endpoint cannot be connected to. Bounds
/// what one request waits for in a cluster that is out of reach as a whole.
const OTHER_ENDPOINTS: u8 = 3;

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
        match self.try_pick(decision) {
            Some(picked) => picked,
            // Boxed: few requests wait, and all would carry the room for it.
            None => Box::pin(self.wait_for_pick(decision)).await,
        }
    }

    async fn wait_for_pick(&self, decision: &Decision) -> Result<Picked<Pool>, Error> {
        let cluster = &decision.cluster;
        let place = cluster.state().try_pending(&cluster.config().limits);
        let _place = place.ok_or_else(too_many)?;
        loop {
            // Read before picking, so that no change is missed.
            let seen = cluster.version();
            if let Some(picked) = self.try_pick(decision) {
                return picked;
            }
            cluster.changed(seen).await;
        }
    }

    /// Picks; `None` when there may be something to pick later.
    fn try_pick(&self, decision: &Decision) -> Option<Result<Picked<Pool>, Error>> {
        Some(match decision.cluster.pick(&self.entropy) {
            Pick::Use(picked) => Ok(picked),
            Pick::Drop(share) => {
                let text = format!("dropped, as the control plane asks for {}", share.category);
                let error = Error::new(ErrorKind::Dropped, text);
                Err(match share.fraction {
                    Fraction::ONE => error.unconditional(),
                    _ => error,
                })
            }
            Pick::Fail(error) if !decision.wait_for_ready || !waits(&error) => Err(error),
            Pick::Fail(_) | Pick::Queue => return None,
        })
    }
}

/// Whether an error speaks against its endpoint. A limit of ours or a request that cannot be sent does
/// not, nor does an endpoint that drains and gives back what it has not seen.
fn is_failure(error: &Error) -> bool {
    let given_back = error.kind() == ErrorKind::Reset && !error.was_sent();
    error.origin() == Origin::Upstream && !given_back
}

/// Whether waiting can help: there was no endpoint to be had, no limit was reached.
fn waits(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NoEndpoint | ErrorKind::Connect | ErrorKind::ConnectTimeout
    )
}

impl Serve for Balance {
    /// Sends to an endpoint. While none can be connected to, nothing has left, and another endpoint
    /// is tried: the one that failed is left out of the next pick until its back-off is over.
    async fn serve(&self, routed: &mut Routed) -> Result<Response<GuardedBody>, Error> {
        let Routed {
            request,
            decision,
            account,
            attempts,
            route_ends,
            endpoint: at,
            ..
        } = routed;
        // Of an attempt before that was cut short.
        *at = None;
        let cluster = &decision.cluster;
        let named = |error: Error| error.in_cluster(cluster.name().as_str());
        let config = cluster.config();
        if let Transport::Unsupported(reason) = &config.transport {
            let text = format!("the cluster's transport is not available: {reason}");
            return Err(named(Error::new(ErrorKind::Tls, text)));
        }
        let ends = route_ends.filter(|_| *attempts > 1);
        let mut unreachable = None;
        let mut others = OTHER_ENDPOINTS;
        loop {
            let picked = self.pick(decision).await;
            // What an endpoint said says more than that there is none left.
            let Picked {
                endpoint,
                mut guard,
            } = picked.map_err(|error| named(unreachable.take().unwrap_or(error)))?;
            let endpoint = &*at.insert(endpoint);
            account.picked(endpoint.state());
            let pool = self.pools.of(cluster, endpoint);
            decision.tell_limits(request.headers_mut(), ends);
            let failed = match pool.send(request, &config.limits).await {
                Ok(response) => {
                    *at = None;
                    return Ok(GuardedBody::guard(response, guard, decision.grpc));
                }
                Err(failed) => failed,
            };
            if is_failure(&failed.error) {
                guard.record(Outcome::Failure);
            }
            let error = failed.error.at_endpoint(endpoint.state().key().as_str());
            *at = None;
            // Not for a connection that timed out: its wait was the request's own.
            let another = error.kind() == ErrorKind::Connect && others > 0;
            if !another || !failed.whole {
                return Err(named(error));
            }
            // One that waits for an endpoint waits until its deadline; the back-offs pace it.
            others -= u8::from(!decision.wait_for_ready);
            unreachable = Some(error);
        }
    }
}
