//! What both sides of the decision count for each request, as an observer of the mesh would.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

/// Three counters, and the clock read twice for each request: when it arrives and when it has ended.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    requests: AtomicU64,
    successes: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Tally {
    /// Counts a request that arrives now, has it decided by `decide`, and counts how it ended.
    /// Whether it found an endpoint.
    pub(crate) fn request(&self, decide: impl FnOnce() -> bool) -> bool {
        let arrival = Instant::now();
        self.requests.fetch_add(1, Relaxed);
        let served = decide();
        self.successes.fetch_add(u64::from(served), Relaxed);
        let spent = Instant::now().saturating_duration_since(arrival);
        let spent = u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(spent, Relaxed);
        served
    }

    /// Requests, and those of them that found an endpoint.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.requests.load(Relaxed), self.successes.load(Relaxed))
    }
}
