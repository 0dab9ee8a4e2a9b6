//! Random: any endpoint, whatever went before.

use super::{Loads, PickContext, Picker};
use crate::entropy::Entropy;

/// Any endpoint, all equally likely whatever their weights (Envoy, "random").
#[derive(Debug)]
pub struct Random(usize);

impl Random {
    /// Draws among `count` endpoints.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self(count)
    }
}

impl Picker for Random {
    fn pick(&self, cx: &PickContext<'_>, _: &dyn Loads) -> usize {
        super::index_below(cx.entropy.draw(), self.0)
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
