//! When an endpoint that could not be reached is tried again (gRPC's connection back-off).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const BASE: Duration = Duration::from_secs(1);
const MAX: Duration = Duration::from_secs(120);
const FACTOR: f64 = 1.6;
/// Each delay is spread by this share up and down, so that clients do not come back all at once.
const JITTER: f64 = 0.2;

/// The failures since an endpoint was last ready.
#[derive(Debug, Default)]
pub(super) struct Outage {
    failures: u32,
    failed_at: Option<Instant>,
    retry_at: Option<Instant>,
    error: Option<Arc<str>>,
}

impl Outage {
    /// Counts a failure. One inside the back-off belongs to the same attempt (several connections
    /// were being made at once) and does not lengthen it.
    pub(super) fn fail(&mut self, now: Instant, draw: u64, error: Arc<str>) {
        self.error = Some(error);
        self.failed_at = Some(now);
        if self.retry_at.is_some_and(|at| now < at) {
            return;
        }
        self.retry_at = Some(now + delay(self.failures, draw));
        self.failures = self.failures.saturating_add(1);
    }

    /// Ends the outage. The error stays, to be told.
    pub(super) fn end(&mut self) {
        self.failures = 0;
        self.retry_at = None;
    }

    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    pub(super) fn failed_at(&self) -> Option<Instant> {
        self.failed_at
    }

    pub(super) fn error(&self) -> Option<&Arc<str>> {
        self.error.as_ref()
    }
}

/// The delay after the failure that follows `failures` others.
fn delay(failures: u32, draw: u64) -> Duration {
    let exponent = i32::try_from(failures.min(64)).unwrap_or(64);
    let nominal = (BASE.as_secs_f64() * FACTOR.powi(exponent)).min(MAX.as_secs_f64());
    let unit = (draw >> 11) as f64 / (1u64 << 53) as f64;
    Duration::from_secs_f64(nominal * (1.0 - JITTER + 2.0 * JITTER * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_their_bound_and_are_spread() {
        for (failures, seconds) in [
            (0, 1.0),
            (1, 1.6),
            (2, 2.56),
            (10, 109.95),
            (11, 120.0),
            (u32::MAX, 120.0),
        ] {
            let [low, high] = [0, u64::MAX].map(|draw| delay(failures, draw).as_secs_f64());
            assert!((low - 0.8 * seconds).abs() < 0.01, "{failures}: {low}");
            assert!((high - 1.2 * seconds).abs() < 0.01, "{failures}: {high}");
        }
    }

    #[test]
    fn failures_of_one_attempt_count_once_and_success_starts_over() {
        let now = Instant::now();
        let mut outage = Outage::default();
        for _ in 0..10 {
            outage.fail(now, 1 << 63, "refused".into());
        }
        assert_eq!(outage.retry_at(), Some(now + Duration::from_secs(1)));
        let later = now + Duration::from_secs(1);
        outage.fail(later, 1 << 63, "refused".into());
        assert_eq!(
            outage.retry_at(),
            Some(later + Duration::from_secs_f64(1.6))
        );
        outage.end();
        assert_eq!(outage.retry_at(), None);
        outage.fail(later, 1 << 63, "refused".into());
        assert_eq!(outage.retry_at(), Some(later + Duration::from_secs(1)));
    }
}
