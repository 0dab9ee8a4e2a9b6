//! When an endpoint that could not be reached is tried again (gRPC's connection back-off).

use std::{sync::Arc, time::Instant};

use crate::policy::backoff::connection_delay;

/// The failures since an endpoint was last ready. Most endpoints never had one, and have no room for it.
#[derive(Debug, Default)]
pub(super) struct Outage(Option<Box<Failures>>);

#[derive(Debug)]
struct Failures {
    count: u32,
    last: Instant,
    retry_at: Option<Instant>,
    error: Arc<str>,
}

impl Outage {
    /// Counts a failure. One inside the back-off belongs to the same attempt (several connections
    /// were being made at once) and does not lengthen it.
    pub(super) fn fail(&mut self, now: Instant, draw: u64, error: Arc<str>) {
        let (count, retry_at) = match &self.0 {
            Some(before) => (before.count, before.retry_at),
            None => (0, None),
        };
        let (count, retry_at) = match retry_at {
            Some(at) if now < at => (count, at),
            _ => (count.saturating_add(1), now + connection_delay(count, draw)),
        };
        self.0 = Some(Box::new(Failures {
            count,
            last: now,
            retry_at: Some(retry_at),
            error,
        }));
    }

    /// Ends the outage. The error stays, to be told.
    pub(super) fn end(&mut self) {
        if let Some(failures) = &mut self.0 {
            failures.count = 0;
            failures.retry_at = None;
        }
    }

    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.0.as_ref()?.retry_at
    }

    /// Whether there is no back-off, or it has ended.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.retry_at().is_none_or(|at| at <= now)
    }

    pub(super) fn failed_at(&self) -> Option<Instant> {
        Some(self.0.as_ref()?.last)
    }

    pub(super) fn error(&self) -> Option<&Arc<str>> {
        Some(&self.0.as_ref()?.error)
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
