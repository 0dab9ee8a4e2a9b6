//! When an endpoint that could not be reached is tried again (gRPC's connection back-off).

use std::{sync::Arc, time::Instant};

use crate::policy::backoff::connection_delay;

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
        self.retry_at = Some(now + connection_delay(self.failures, draw));
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

    /// Whether there is no back-off, or it has ended.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.retry_at.is_none_or(|at| at <= now)
    }

    pub(super) fn failed_at(&self) -> Option<Instant> {
        self.failed_at
    }

    pub(super) fn error(&self) -> Option<&Arc<str>> {
        self.error.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

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
