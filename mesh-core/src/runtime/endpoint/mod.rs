//! Endpoints: the state that the process shares, and a mesh's own slot beside it.

mod backoff;
mod connectivity;
mod slot;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, PoisonError},
    time::Instant,
};

pub(crate) use self::connectivity::{Reported, Standing};
use self::{backoff::Outage, connectivity::ReportedCell};
pub use self::{connectivity::Connectivity, slot::Endpoint};
use super::{ClusterState, load::EndpointLoad, registry::Identity};
use crate::{
    config::Address,
    name::{ClusterName, EndpointKey},
    sync::{Mutex, MutexGuard, atomic::Ordering},
};

/// The live state of one endpoint: shared by all meshes and workers of the process, and carried
/// from one configuration to the next.
//
// In this order: what a pick reads and counts lies beside the count of those that hold it, on one
// line of the cache. With many endpoints, fetching them is what a pick costs.
#[repr(C)]
pub struct EndpointState {
    pub(super) load: EndpointLoad,
    reported: ReportedCell,
    pub(super) cluster: Arc<ClusterState>,
    identity: Identity,
    address: Address,
    /// Changes of connectivity are rare: they take this lock, and readers read `reported`.
    outage: Mutex<Outage>,
}

impl EndpointState {
    pub(super) fn new(identity: Identity, address: Address, cluster: Arc<ClusterState>) -> Self {
        Self {
            load: EndpointLoad::default(),
            reported: ReportedCell::default(),
            cluster,
            identity,
            address,
            outage: Mutex::default(),
        }
    }

    /// What tells it from the other endpoints of its cluster.
    #[must_use]
    pub fn key(&self) -> &EndpointKey {
        &self.identity.key
    }

    /// The name of its cluster.
    #[must_use]
    pub fn cluster(&self) -> &ClusterName {
        self.cluster.name()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Requests under way.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.load.in_flight.get()
    }

    /// Requests that ended well.
    #[must_use]
    pub fn successes(&self) -> u64 {
        self.load.successes()
    }

    /// Requests that the endpoint, or the way to it, failed.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.load.failures()
    }

    /// The state of its connections.
    #[must_use]
    pub fn connectivity(&self) -> Connectivity {
        self.reported.get().connectivity
    }

    pub(crate) fn reported(&self) -> Reported {
        self.reported.get()
    }

    /// Reports that the first connection is being made.
    pub fn set_connecting(&self) {
        let outage = self.lock();
        let failing = self.reported.get().failing;
        self.report(Connectivity::Connecting, failing, outage);
    }

    /// Reports that there is a connection; ends the back-off.
    pub fn set_ready(&self) {
        let mut outage = self.lock();
        outage.end();
        self.report(Connectivity::Ready, false, outage);
    }

    /// Reports that the last connection ended without a failure.
    pub fn set_idle(&self) {
        let outage = self.lock();
        let failing = self.reported.get().failing;
        self.report(Connectivity::Idle, failing, outage);
    }

    /// Reports that no connection could be made and none is left, with the reason. The endpoint is
    /// left alone for 1 s at first, 1.6 times as long after each further failure, up to 120 s, all
    /// spread by 20 % with `draw`.
    pub fn set_failed(&self, now: Instant, draw: u64, reason: impl Into<Arc<str>>) {
        self.cluster.failures.fetch_add(1, Ordering::Relaxed);
        let mut outage = self.lock();
        outage.fail(now, draw, reason.into());
        self.report(Connectivity::Failed, true, outage);
    }

    /// Whether the endpoint may be connected to: it did not fail, or its back-off is over.
    #[must_use]
    pub fn may_connect(&self, now: Instant) -> bool {
        self.retry_at().is_none_or(|at| at <= now)
    }

    /// When the back-off ends; `None` unless it failed.
    #[must_use]
    pub fn retry_at(&self) -> Option<Instant> {
        match self.connectivity() {
            Connectivity::Failed => self.lock().retry_at(),
            _ => None,
        }
    }

    /// Why the last attempt to connect failed, if one ever did.
    #[must_use]
    pub fn last_error(&self) -> Option<Arc<str>> {
        self.lock().error().cloned()
    }

    /// When it last failed.
    pub(super) fn failed_at(&self) -> Option<Instant> {
        self.lock().failed_at()
    }

    /// Makes a failed endpoint idle once its back-off is over. Not reported: every runtime that
    /// uses the endpoint knows the moment from [`EndpointState::retry_at`].
    pub(super) fn recover(&self, now: Instant) {
        if self.connectivity() != Connectivity::Failed {
            return;
        }
        let outage = self.lock();
        let failed = self.reported.get().connectivity == Connectivity::Failed;
        if failed && outage.retry_at().is_none_or(|at| at <= now) {
            self.reported.set(Reported {
                connectivity: Connectivity::Idle,
                failing: true,
            });
        }
    }

    /// Stores what was reported and, if that is news, says so; `outage` is the lock that orders
    /// writers.
    fn report(&self, connectivity: Connectivity, failing: bool, outage: MutexGuard<'_, Outage>) {
        let changed = self.reported.set(Reported {
            connectivity,
            failing,
        });
        drop(outage);
        if changed {
            self.cluster.bump();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for EndpointState {
    fn drop(&mut self) {
        self.cluster.endpoints.forget(&self.identity);
    }
}

impl fmt::Debug for EndpointState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointState")
            .field("cluster", self.cluster.name())
            .field("key", self.key())
            .field("connectivity", &self.connectivity())
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}
