//! Turns in proportion to weights, exactly, without a lock.
//!
//! Lay the weights end to end on a circle of `total` slots and walk it in steps of about `total`
//! divided by the golden ratio, with no divisor in common with `total`. Each `total` steps visit
//! every slot once, so that each entry gets exactly its weight out of any `total` turns in a row;
//! and by the three-distance theorem the visits to any arc are spread about as evenly as can be.
//! Where an earliest-deadline-first queue (Envoy's) must be locked, this needs one counter: the
//! turn's number says who has it. For the weights 1, 2, 5 the turns are `A C C B C C B C`.

use std::sync::atomic::{AtomicU64, Ordering};

/// Who is next, by weight.
#[derive(Debug)]
pub struct Schedule {
    /// Ends of the entries' arcs, ascending; entry `i` has the slots from `ends[i - 1]` to
    /// `ends[i]`.
    ends: Box<[u64]>,
    total: u64,
    step: u64,
    turn: AtomicU64,
}

impl Schedule {
    /// A schedule that begins at turn `start` of its cycle. `None` if no weight is above zero.
    pub fn new(weights: impl Iterator<Item = u64> + Clone, start: u64) -> Option<Self> {
        let divisor = weights.clone().fold(0, gcd);
        if divisor == 0 {
            return None;
        }
        let mut total = 0u64;
        let ends = weights
            .map(|weight| {
                total = total.saturating_add(weight / divisor);
                total
            })
            .collect();
        Some(Self {
            ends,
            total,
            step: step(total),
            turn: AtomicU64::new(start % total),
        })
    }

    /// The entry whose turn it is. Takes the turn.
    pub fn next(&self) -> usize {
        // Relaxed: only that each turn is taken once matters. The count wraps after 2^64 turns,
        // where one cycle is cut short.
        self.entry(self.turn.fetch_add(1, Ordering::Relaxed))
    }

    /// The entry whose turn comes `ahead` turns from now. Takes nothing.
    pub(crate) fn peek(&self, ahead: u64) -> usize {
        self.entry(self.turn.load(Ordering::Relaxed).wrapping_add(ahead))
    }

    fn entry(&self, turn: u64) -> usize {
        let turn = turn % self.total;
        let slot = match turn.checked_mul(self.step) {
            Some(way) => way % self.total,
            None => self.far(turn),
        };
        self.ends.partition_point(|end| *end <= slot)
    }

    /// The slot of a turn on a circle so large that the way there exceeds 64 bits. Apart, since a
    /// division of 128 bits takes ten times as long.
    #[cold]
    fn far(&self, turn: u64) -> u64 {
        let way = u128::from(turn) * u128::from(self.step);
        // Below `total`, which has 64 bits.
        u64::try_from(way % u128::from(self.total)).unwrap_or(0)
    }
}

/// A step near `total` / 1.618 that visits every slot of `total`, as evenly as its neighbours allow.
fn step(total: u64) -> u64 {
    // 2^64 / golden ratio: the product's high word is the wanted quotient.
    const INVERSE_GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    const REACH: u64 = 32;
    let ideal = super::below(INVERSE_GOLDEN, total);
    let near = ideal.saturating_sub(REACH).max(1)..=ideal.saturating_add(REACH).min(total);
    near.filter_map(|step| Some((unevenness(total, step)?, step)))
        .min()
        .map_or(1, |(_, step)| step)
}

/// How uneven steps of `step` around `total` slots are: the sum of the partial quotients of their
/// ratio's continued fraction, which bounds the discrepancy. `None` if they miss slots.
fn unevenness(total: u64, step: u64) -> Option<u64> {
    let (mut a, mut b, mut sum) = (total, step, 0u64);
    while b > 0 {
        sum = sum.saturating_add(a / b);
        (a, b) = (b, a % b);
    }
    (a == 1).then_some(sum)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn turns(weights: &[u64], start: u64, count: usize) -> Vec<usize> {
        let schedule = Schedule::new(weights.iter().copied(), start).unwrap();
        (0..count).map(|_| schedule.next()).collect()
    }

    #[test]
    fn small_weights_alternate() {
        assert_eq!(turns(&[1, 2, 5], 0, 8), [0, 2, 2, 1, 2, 2, 1, 2]);
        assert_eq!(turns(&[3, 1], 0, 8), [0, 0, 0, 1, 0, 0, 0, 1]);
        assert_eq!(turns(&[10, 30], 0, 8), turns(&[1, 3], 0, 8));
    }

    #[test]
    fn without_weight_there_is_no_turn() {
        assert!(Schedule::new([].into_iter(), 0).is_none());
        assert!(Schedule::new([0, 0].into_iter(), 0).is_none());
        assert_eq!(turns(&[0, 3, 0], 5, 2), [1, 1]);
    }

    #[test]
    fn both_divisions_lead_to_one_slot() {
        let schedule = Schedule::new([7, 2, 500].into_iter(), 0).unwrap();
        for turn in 0..2 * schedule.total {
            let far = schedule.far(turn);
            let entry = schedule.ends.partition_point(|end| *end <= far);
            assert_eq!(schedule.entry(turn), entry, "turn {turn}");
        }
    }

    #[test]
    fn huge_and_lopsided_weights_cost_nothing_more() {
        let mut weights = vec![1; 10_000];
        weights[17] = u64::from(u32::MAX);
        let seen = turns(&weights, 3, 1000);
        assert!(seen.iter().filter(|it| **it == 17).count() >= 999);
        turns(&[u64::MAX, u64::MAX - 1], u64::MAX, 10);
    }

    proptest! {
        #[test]
        fn every_cycle_is_exact_and_smooth(
            weights in prop::collection::vec(0u64..40, 1..12),
            start: u64,
            offset in 0usize..50,
        ) {
            let divisor = weights.iter().copied().fold(0, gcd);
            prop_assume!(divisor > 0);
            let total: u64 = weights.iter().map(|weight| weight / divisor).sum();
            let cycle = usize::try_from(total).unwrap();
            let seen = turns(&weights, start, offset + cycle);
            for (entry, weight) in weights.iter().enumerate() {
                let count = |turns: &[usize]| turns.iter().filter(|it| **it == entry).count();
                let reduced = weight / divisor;
                prop_assert_eq!(count(&seen[offset..]), usize::try_from(reduced).unwrap());
                // Never far from its share at any point of the way.
                for length in 1..=cycle {
                    let due = length as f64 * reduced as f64 / total as f64;
                    let got = count(&seen[offset..offset + length]) as f64;
                    prop_assert!((got - due).abs() < 5.0, "{} of {}, {} due", got, length, due);
                }
            }
        }
    }
}
