//! Endpoints: the state that the process shares, and a mesh's own slot beside it.

mod backoff;
mod connectivity;
mod report;
mod slot;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, PoisonError},
    time::Instant,
};

pub(crate) use self::connectivity::{Reported, Standing};
pub use self::{connectivity::Connectivity, report::ConnectivityReport, slot::Endpoint};
use self::{connectivity::ReportedCell, report::Sum};
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
    sum: Mutex<Sum>,
}

impl EndpointState {
    pub(super) fn new(identity: Identity, address: Address, cluster: Arc<ClusterState>) -> Self {
        Self {
            load: EndpointLoad::default(),
            reported: ReportedCell::default(),
            cluster,
            identity,
            address,
            sum: Mutex::default(),
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

    /// A place for one pool to report of its connections, which has nothing to say yet.
    #[must_use]
    pub fn report(self: &Arc<Self>) -> ConnectivityReport {
        ConnectivityReport::new(Arc::clone(self))
    }

    /// Whether the endpoint may be connected to: no attempt failed since one succeeded, or the
    /// back-off is over. It holds for a pool of its own as well while others are connected.
    #[must_use]
    pub fn may_connect(&self, now: Instant) -> bool {
        self.lock().outage.is_over(now)
    }

    /// When the back-off ends; `None` unless it failed.
    #[must_use]
    pub fn retry_at(&self) -> Option<Instant> {
        match self.connectivity() {
            Connectivity::Failed => self.lock().outage.retry_at(),
            _ => None,
        }
    }

    /// Why the last attempt to connect failed, if one ever did.
    #[must_use]
    pub fn last_error(&self) -> Option<Arc<str>> {
        self.lock().outage.error().cloned()
    }

    /// When it last failed.
    pub(super) fn failed_at(&self) -> Option<Instant> {
        self.lock().outage.failed_at()
    }

    /// Ends a failure once its back-off is over. Not reported: every runtime that uses the endpoint
    /// knows the moment from [`EndpointState::retry_at`].
    pub(super) fn recover(&self, now: Instant) {
        if self.connectivity() == Connectivity::Failed {
            let mut sum = self.lock();
            sum.recover(now);
            self.reported.set(sum.reported());
        }
    }

    fn count_failure(&self) {
        self.cluster.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Changes what is reported and, if that is news, says so. The lock orders writers.
    fn change(&self, change: impl FnOnce(&mut Sum)) {
        let mut sum = self.lock();
        let was_ready = self.connectivity() == Connectivity::Ready;
        change(&mut sum);
        let reported = sum.reported();
        let news = self.reported.set(reported);
        match (was_ready, reported.connectivity == Connectivity::Ready) {
            (false, true) => _ = self.cluster.ready.fetch_add(1, Ordering::Relaxed),
            (true, false) => _ = self.cluster.ready.fetch_sub(1, Ordering::Relaxed),
            _ => {}
        }
        drop(sum);
        if news {
            self.cluster.bump();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sum> {
        self.sum.lock().unwrap_or_else(PoisonError::into_inner)
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
