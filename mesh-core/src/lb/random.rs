//! Random: any endpoint, whatever went before.

use super::{Loads, PickContext, Picker};
use crate::entropy::Entropy;

/// Any endpoint, by weight if weights differ.
#[derive(Debug)]
pub struct Random(Odds);

#[derive(Debug)]
enum Odds {
    Equal(usize),
    Weighted(Weighted),
}

impl Random {
    /// Draws among `count` equal endpoints.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self(Odds::Equal(count))
    }

    /// Draws by weight. `None` if no weight is above zero.
    #[must_use]
    pub fn weighted(weights: &[u32]) -> Option<Self> {
        Weighted::new(weights.iter().map(|weight| u64::from(*weight)))
            .map(|odds| Self(Odds::Weighted(odds)))
    }
}

impl Picker for Random {
    fn pick(&self, cx: &PickContext<'_>, _: &dyn Loads) -> usize {
        match &self.0 {
            Odds::Equal(count) => super::index_below(cx.entropy.draw(), *count),
            Odds::Weighted(odds) => odds.draw(cx.entropy),
        }
    }
}

/// A draw by weight: binary search among running sums.
#[derive(Debug)]
pub(crate) struct Weighted {
    ends: Box<[u64]>,
    total: u64,
}

impl Weighted {
    /// `None` if no weight is above zero.
    pub(crate) fn new(weights: impl Iterator<Item = u64>) -> Option<Self> {
        let mut total = 0u64;
        let ends = weights
            .map(|weight| {
                total = total.saturating_add(weight);
                total
            })
            .collect();
        (total > 0).then_some(Self { ends, total })
    }

    pub(crate) fn draw(&self, entropy: &Entropy) -> usize {
        let slot = super::below(entropy.draw(), self.total);
        self.ends.partition_point(|end| *end <= slot)
    }
}
