//! A choice by weight.

/// Weights as cumulative sums: a uniform number becomes a place by binary search.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WeightedChoice {
    ends: Box<[u64]>,
}

impl WeightedChoice {
    /// The choice among as many places as there are `weights`. A place of weight 0 is never chosen.
    pub fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        let sum = |sum: &mut u64, weight| {
            *sum = sum.saturating_add(u64::from(weight));
            Some(*sum)
        };
        Self {
            ends: weights.into_iter().scan(0, sum).collect(),
        }
    }

    /// The sum of the weights.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The place of `draw % total`; `None` when there is nothing to choose from.
    #[must_use]
    #[inline]
    pub fn pick(&self, draw: u64) -> Option<usize> {
        let point = draw.checked_rem(self.total())?;
        Some(self.ends.partition_point(|end| *end <= point))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_share_of_the_sum() {
        let choice = WeightedChoice::new([0, 1, 0, 3, 0]);
        let picks: Vec<_> = (0..8).filter_map(|draw| choice.pick(draw)).collect();
        assert_eq!((choice.total(), picks), (4, vec![1, 3, 3, 3, 1, 3, 3, 3]));
        assert_eq!(choice.pick(u64::MAX), Some(3));
    }

    #[test]
    fn nothing_can_be_chosen_from_nothing() {
        assert_eq!(WeightedChoice::new([]).pick(1), None);
        assert_eq!(WeightedChoice::new([0, 0]).pick(1), None);
    }

    #[test]
    fn sums_beyond_32_bits_stay_exact() {
        let choice = WeightedChoice::new([u32::MAX, u32::MAX]);
        let last = u64::from(u32::MAX);
        assert_eq!(
            (choice.pick(last - 1), choice.pick(last)),
            (Some(0), Some(1))
        );
    }
}
