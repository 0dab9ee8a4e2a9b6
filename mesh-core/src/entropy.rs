//! Randomness, from the system or from a seed.

use std::sync::atomic::{AtomicU64, Ordering};

/// A source of random numbers for policy decisions; not for secrets.
///
/// A seeded source gives the same *set* of numbers for the same number of draws whatever the
/// threads do, so that shares of traffic can be asserted exactly.
#[derive(Debug, Default)]
pub struct Entropy(Option<AtomicU64>);

/// The odd constant of SplitMix64 (Steele, Lea and Flood, 2014): consecutive multiples of it,
/// mixed, are equidistributed over 64 bits.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Entropy {
    /// Draws from the thread's generator, seeded by the system.
    #[must_use]
    pub const fn system() -> Self {
        Self(None)
    }

    /// Draws the fixed sequence of `seed`.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(Some(AtomicU64::new(seed)))
    }

    /// The next number, uniform over 64 bits.
    pub fn draw(&self) -> u64 {
        match &self.0 {
            None => fastrand::u64(..),
            // Relaxed: only the uniqueness of each state matters, which the addition gives.
            Some(state) => mix(state.fetch_add(GOLDEN, Ordering::Relaxed)),
        }
    }
}

/// SplitMix64's finalizer: spreads one draw into another that is independent for every practical
/// purpose. Used to derive several decisions from one request's number.
#[must_use]
pub const fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(GOLDEN);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_differs_from_another() {
        let draw = |seed| {
            let entropy = Entropy::seeded(seed);
            [entropy.draw(), entropy.draw(), entropy.draw()]
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn draws_are_spread_evenly() {
        let entropy = Entropy::seeded(7);
        let low = (0..10_000).filter(|_| entropy.draw() % 100 < 10).count();
        assert!((900..1100).contains(&low), "{low} of 10000 below 10 %");
    }
}
