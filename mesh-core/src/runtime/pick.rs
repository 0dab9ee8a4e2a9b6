//! What a pick gives.

use std::{fmt, sync::Arc};

use super::{Endpoint, LoadGuard};
use crate::{Error, config::DropOverload};

/// What to do with a request.
#[derive(Debug)]
pub enum Pick<C> {
    /// Send it there.
    Use(Picked<C>),
    /// Wait for the next picker ([`ClusterRuntime::changed`](super::ClusterRuntime::changed)) and
    /// pick again: endpoints are still connecting.
    Queue,
    /// Fail it.
    Fail(Error),
    /// Drop it, as the control plane asks for this share of requests.
    Drop(DropOverload),
}

/// A picked endpoint.
pub struct Picked<C> {
    /// Where to send the request.
    pub endpoint: Arc<Endpoint<C>>,
    /// Counts the request; to be kept until its response has ended.
    pub guard: LoadGuard,
}

impl<C> fmt::Debug for Picked<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picked")
            .field("endpoint", self.endpoint.state().key())
            .finish_non_exhaustive()
    }
}
