//! Randomness that can be repeated.

use std::env;
use std::ops::Range;

/// The variable that sets the seed of a run.
const VARIABLE: &str = "MESH_TEST_SEED";

/// A sequence of random numbers from a seed. If the test fails while it lives, it prints the seed;
/// set `MESH_TEST_SEED` to that to repeat the run.
///
/// The numbers are those of `SplitMix64`: the same on every machine.
#[derive(Debug)]
pub struct Seeded {
    seed: u64,
    state: u64,
}

impl Seeded {
    /// The sequence of `seed`, or of `MESH_TEST_SEED` if that is set.
    ///
    /// # Panics
    /// If `MESH_TEST_SEED` is set and no number.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let seed = match env::var(VARIABLE) {
            Ok(text) => text.parse().expect("a number in MESH_TEST_SEED"),
            Err(_) => seed,
        };
        Self::exactly(seed)
    }

    /// The sequence of `seed`, whatever the environment says.
    #[must_use]
    pub fn exactly(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `range`.
    ///
    /// # Panics
    /// If the range is empty.
    pub fn in_range(&mut self, range: Range<u64>) -> u64 {
        let width = range.end.checked_sub(range.start);
        let width = width
            .filter(|width| *width > 0)
            .expect("a range that is not empty");
        // The product's upper half is uniform up to one part in 2^64 / width.
        let scaled = (u128::from(self.next_u64()) * u128::from(width)) >> 64;
        range.start + u64::try_from(scaled).unwrap_or(0)
    }

    /// True in this share of calls, in percent.
    pub fn percent(&mut self, share: u64) -> bool {
        self.in_range(0..100) < share
    }

    /// One of the items.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let index = self.in_range(0..items.len() as u64);
        &items[usize::try_from(index).unwrap_or(0)]
    }

    /// Brings the items into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.in_range(0..last as u64 + 1);
            items.swap(last, usize::try_from(other).unwrap_or(0));
        }
    }
}

impl Drop for Seeded {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed was {}; {VARIABLE} repeats it", self.seed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        // The first outputs of SplitMix64 for seed 0, from its reference implementation.
        let mut zero = Seeded::exactly(0);
        assert_eq!(zero.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(zero.next_u64(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn ranges_picks_and_shuffles_stay_inside() {
        let mut random = Seeded::new(7);
        let mut seen = [0; 5];
        for _ in 0..1_000 {
            let number = random.in_range(10..15);
            seen[usize::try_from(number).unwrap() - 10] += 1;
        }
        assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
        let mut items = [1, 2, 3, 4, 5, 6, 7, 8];
        random.shuffle(&mut items);
        assert_ne!(items, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(items.contains(random.pick(&[1, 2, 3])));
        items.sort_unstable();
        assert_eq!(items, [1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
