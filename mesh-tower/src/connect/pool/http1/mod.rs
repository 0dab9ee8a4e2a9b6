//! The HTTP/1 connections of an endpoint: one request each, the one used last first.
//!
//! A request that finds no idle connection waits in line for the next, be it new or given back; one
//! dial is under way for each that waits, as far as the limits allow. A connection counts until it
//! is closed, not only until it is let go.

mod core;
mod keeper;
mod live;
mod queue;

use std::sync::Arc;

use http::{Request, Response};
use mesh_core::{
    ErrorKind,
    config::{ClusterConfig, Limits},
};

use self::core::{Core, Refusal, Taken};
use super::{Dialer, OFFERS, SendError};
use crate::{
    body::{RequestBody, ResponseBody},
    connect::http1::turn,
};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Http1Pool {
    core: Arc<Core>,
}

impl Http1Pool {
    pub(super) fn new(dialer: Dialer, config: &ClusterConfig) -> Self {
        Self {
            core: Arc::new(Core::new(dialer, config)),
        }
    }

    pub(super) fn start_connecting(&self) {
        self.core.start_connecting();
    }

    /// Requests in line.
    #[cfg(test)]
    pub(super) fn queued(&self) -> usize {
        self.core.queued()
    }

    pub(super) async fn send(
        &self,
        request: &mut Request<RequestBody>,
        limits: &Limits,
    ) -> Result<Response<ResponseBody>, SendError> {
        let mut offers = 0;
        loop {
            offers += 1;
            // Idle connections that turn out closed one after the other are what a restart leaves:
            // the last offer is to a new one.
            let fresh = offers == OFFERS;
            turn().await;
            let held = match self.core.take(limits, fresh) {
                Ok(Taken::Now(held)) => Ok(held),
                // Boxed: few requests wait, and all would carry the room for it.
                Ok(Taken::Soon(waiting)) => Box::pin(waiting.wait()).await,
                Err(Refusal::Connect(error)) => Err(error),
                Err(Refusal::Overloaded) => return Err(SendError::overloaded()),
            };
            let held = held.map_err(|error| SendError::connect(&error))?;
            let failed = match held.send(std::mem::take(request)).await {
                Ok(response) => return Ok(response),
                Err(failure) => SendError::of(failure, request),
            };
            if !failed.whole || fresh || failed.error.kind() != ErrorKind::Reset {
                return Err(failed);
            }
        }
    }
}
