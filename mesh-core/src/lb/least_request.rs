//! Least request: the less loaded of a few.

use super::{Loads, PickContext, Picker, Schedule};

/// Compares a few random endpoints, drawn with replacement, and takes the one with the fewest
/// requests, the first on a tie (gRFC A48; Envoy, "weighted least request", with equal weights).
#[derive(Debug)]
pub struct LeastRequest {
    count: usize,
    choices: u32,
}

impl LeastRequest {
    /// Among `count` endpoints, comparing `choices`; held to 2..=10 (gRFC A48).
    #[must_use]
    pub fn new(count: usize, choices: u32) -> Self {
        Self {
            count,
            choices: choices.clamp(2, 10),
        }
    }
}

impl Picker for LeastRequest {
    fn pick(&self, cx: &PickContext<'_>, loads: &dyn Loads) -> usize {
        // One draw for both: there are bits enough.
        let (mut best, other) = super::two_below(cx.entropy.draw(), self.count);
        let mut least = loads.active(best);
        let mut compare = |other| {
            let active = loads.active(other);
            if active < least {
                (best, least) = (other, active);
            }
        };
        compare(other);
        for _ in 2..self.choices {
            compare(super::index_below(cx.entropy.draw(), self.count));
        }
        best
    }
}

/// Gives endpoints turns in proportion to `weight / (active + 1)^bias` (Envoy, "weighted least
/// request", with unequal weights).
///
/// Envoy keeps a queue ordered by deadlines that it computes anew at each pick, which must be
/// locked. Here, turns come from a [`Schedule`] by weight alone, and the endpoint whose turn it is
/// takes it with probability `((least + 1) / (active + 1))^bias`, where `least` is the lowest load
/// in sight: that of the next eight turns. What is accepted is then in proportion to the
/// product of both, as wanted. After as many refusals the least loaded one in sight is taken, so
/// that a pick is bounded. With equal loads, or with a bias of 0, nothing is ever refused and the
/// weights hold exactly.
#[derive(Debug)]
pub struct WeightedLeastRequest {
    schedule: Schedule,
    bias: f64,
}

/// How many turns a pick looks ahead, and how many refusals it bears.
const WINDOW: u64 = 8;

impl WeightedLeastRequest {
    /// With turns by weight from `schedule`; `bias` is at least 0.
    #[must_use]
    pub fn new(schedule: Schedule, bias: f64) -> Self {
        Self { schedule, bias }
    }

    /// The least loaded endpoint in sight and its load.
    fn least(&self, loads: &dyn Loads) -> (usize, u32) {
        let first = self.schedule.peek(0);
        let mut best = (first, loads.active(first));
        for ahead in 1..WINDOW {
            let index = self.schedule.peek(ahead);
            let active = loads.active(index);
            if active < best.1 {
                best = (index, active);
            }
        }
        best
    }

    /// Whether an endpoint with `active` requests takes its turn.
    fn takes(&self, active: u32, least: u32, draw: u64) -> bool {
        if active <= least {
            return true;
        }
        let ratio = (f64::from(least) + 1.0) / (f64::from(active) + 1.0);
        let unit = (draw >> 11) as f64 / (1u64 << 53) as f64;
        unit < if self.bias == 1.0 {
            ratio
        } else {
            ratio.powf(self.bias)
        }
    }
}

impl Picker for WeightedLeastRequest {
    fn pick(&self, cx: &PickContext<'_>, loads: &dyn Loads) -> usize {
        let (best, least) = self.least(loads);
        for _ in 0..WINDOW {
            let index = self.schedule.next();
            let active = loads.active(index);
            if active <= least || self.takes(active, least, cx.entropy.draw()) {
                return index;
            }
        }
        best
    }
}
