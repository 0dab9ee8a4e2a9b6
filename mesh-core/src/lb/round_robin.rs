//! Round robin: in turn (Envoy, "weighted round robin"; gRPC's `round_robin`).

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Loads, PickContext, Picker, Schedule};

/// One after the other, by weight if weights differ.
#[derive(Debug)]
pub struct RoundRobin(Turns);

#[derive(Debug)]
enum Turns {
    Equal { count: usize, turn: AtomicUsize },
    Weighted(Schedule),
}

impl RoundRobin {
    /// Rotates over `count` equal endpoints, beginning at `start`.
    #[must_use]
    pub fn new(count: usize, start: u64) -> Self {
        Self(Turns::Equal {
            count: count.max(1),
            turn: AtomicUsize::new(super::index_below(start, count)),
        })
    }

    /// Follows a schedule of weights.
    #[must_use]
    pub fn weighted(schedule: Schedule) -> Self {
        Self(Turns::Weighted(schedule))
    }
}

impl Picker for RoundRobin {
    fn pick(&self, _: &PickContext<'_>, _: &dyn Loads) -> usize {
        match &self.0 {
            // Relaxed: only that each turn is taken once matters.
            Turns::Equal { count, turn } => turn.fetch_add(1, Ordering::Relaxed) % count,
            Turns::Weighted(schedule) => schedule.next(),
        }
    }
}
