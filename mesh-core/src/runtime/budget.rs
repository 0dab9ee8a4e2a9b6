//! Retry budgets: retries as a share of what is under way (Envoy, "circuit breaking": retry budget).

use crate::config::RetryBudget;

/// How many retries may be under way at once while `in_flight` requests are, those that wait for a
/// connection included.
pub(crate) fn retries(budget: &RetryBudget, in_flight: u32) -> u32 {
    let share = u64::from(in_flight) * u64::from(budget.share.millionths()) / 1_000_000;
    u32::try_from(share)
        .unwrap_or(u32::MAX)
        .max(budget.min_concurrency)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Fraction;

    #[test]
    fn a_budget_is_a_share_but_never_below_its_minimum() {
        let budget = RetryBudget {
            share: Fraction::new(20, 100),
            min_concurrency: 3,
        };
        for (in_flight, allowed) in [(0, 3), (12, 3), (19, 3), (20, 4), (1000, 200)] {
            assert_eq!(
                retries(&budget, in_flight),
                allowed,
                "{in_flight} in flight"
            );
        }
        let all = RetryBudget {
            share: Fraction::ONE,
            min_concurrency: 0,
        };
        assert_eq!(retries(&all, u32::MAX), u32::MAX);
    }
}
