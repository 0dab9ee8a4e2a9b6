//! How many requests are held by injected faults.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU32, Ordering},
};

/// A gauge of the requests that injected faults hold now. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct ActiveFaults(Arc<AtomicU32>);

impl ActiveFaults {
    /// The gauge of this process, which every chain shares: `max_active_faults` counts the whole
    /// process (gRFC A33).
    #[must_use]
    pub fn of_process() -> Self {
        static PROCESS: OnceLock<ActiveFaults> = OnceLock::new();
        PROCESS.get_or_init(Self::default).clone()
    }

    /// Counts one more until the guard is dropped; `None` if there are `max` already.
    #[must_use]
    pub fn enter(&self, max: Option<u32>) -> Option<ActiveFault> {
        let max = max.unwrap_or(u32::MAX);
        // Relaxed: the number alone is the protocol, no other memory is published by it.
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |active| {
                (active < max).then(|| active + 1)
            })
            .ok()?;
        Some(ActiveFault(Arc::clone(&self.0)))
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A request held by a fault; dropping it, which also the end of a cancelled request does, frees the
/// place.
#[derive(Debug)]
pub struct ActiveFault(Arc<AtomicU32>);

impl Drop for ActiveFault {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_out_up_to_the_limit_and_come_back() {
        let gauge = ActiveFaults::default();
        assert!(gauge.enter(Some(0)).is_none());
        let first = gauge.enter(Some(2)).unwrap();
        let second = gauge.enter(None).unwrap();
        assert!(gauge.enter(Some(2)).is_none());
        assert_eq!(gauge.count(), 2);
        drop(first);
        assert!(gauge.enter(Some(2)).is_some());
        drop(second);
        assert_eq!(gauge.count(), 0);
    }
}
