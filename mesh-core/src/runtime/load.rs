//! What a picked endpoint carries while a request is under way, and how that request ended.

use std::{fmt, sync::Arc};

use super::{EndpointState, limit::Gauge};
use crate::sync::atomic::{AtomicU64, Ordering};

/// How an attempt ended, for statistics about its endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The endpoint did its part.
    Success,
    /// The endpoint, or the way to it, failed.
    Failure,
    /// Neither: cancelled, or dropped before the end.
    #[default]
    Neutral,
}

/// An endpoint's load and totals.
///
/// Relaxed throughout: these are counts, nothing is published by them.
#[derive(Debug, Default)]
pub(super) struct EndpointLoad {
    pub(super) in_flight: Gauge,
    successes: AtomicU64,
    failures: AtomicU64,
}

impl EndpointLoad {
    pub(super) fn successes(&self) -> u64 {
        self.successes.load(Ordering::Relaxed)
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    fn record(&self, outcome: Outcome) {
        match outcome {
            Outcome::Success => self.successes.fetch_add(1, Ordering::Relaxed),
            Outcome::Failure => self.failures.fetch_add(1, Ordering::Relaxed),
            Outcome::Neutral => 0,
        };
    }
}

/// Counts one request in flight, in its endpoint and its cluster, until dropped; then records how it
/// ended.
#[must_use = "a request counts only while its guard lives"]
pub struct LoadGuard {
    endpoint: Arc<EndpointState>,
    outcome: Outcome,
}

impl LoadGuard {
    /// Takes over a request already counted in the cluster and counts it in `endpoint`.
    pub(super) fn of_counted(endpoint: Arc<EndpointState>) -> Self {
        endpoint.load.in_flight.add();
        Self {
            endpoint,
            outcome: Outcome::Neutral,
        }
    }

    /// Where the request is under way.
    #[must_use]
    pub const fn endpoint(&self) -> &Arc<EndpointState> {
        &self.endpoint
    }

    /// Says how the request ended; the last word counts, when the guard is dropped.
    pub fn record(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for LoadGuard {
    fn drop(&mut self) {
        self.endpoint.load.in_flight.sub();
        self.endpoint.cluster.requests.sub();
        self.endpoint.load.record(self.outcome);
    }
}

impl fmt::Debug for LoadGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadGuard")
            .field("endpoint", self.endpoint.key())
            .field("outcome", &self.outcome)
            .finish()
    }
}
