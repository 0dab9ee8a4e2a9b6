//! Routes that take only a share of their requests.

use crate::{
    config::{Fraction, MatchRules},
    entropy::mix,
};

/// Whether a request with the random number `draw` falls into the `share` of the route at place
/// `ordinal` of its table.
///
/// Envoy has one number for all the decisions of a request, gRPC draws anew for each route: there
/// the number is mixed with the route's place.
#[must_use]
pub fn holds(share: Fraction, draw: u64, ordinal: usize, rules: MatchRules) -> bool {
    let draw = if rules.draw_per_route {
        mix(draw ^ mix(ordinal as u64))
    } else {
        draw
    };
    share.contains(draw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Dialect, entropy::Entropy};

    /// How many of 20,000 requests fall into a half by route 0, and how many of those by route 1.
    fn halves(dialect: Dialect) -> (usize, usize) {
        let rules = MatchRules::of(dialect);
        let half = Fraction::new(1, 2);
        let entropy = Entropy::seeded(11);
        let first: Vec<u64> = (0..20_000)
            .map(|_| entropy.draw())
            .filter(|draw| holds(half, *draw, 0, rules))
            .collect();
        let both = first.iter().filter(|draw| holds(half, **draw, 1, rules));
        (first.len(), both.count())
    }

    #[test]
    fn envoy_shares_one_draw_and_grpc_draws_for_each_route() {
        let (first, both) = halves(Dialect::Envoy);
        assert!((9_700..10_300).contains(&first), "{first}");
        assert_eq!(first, both);
        let (first, both) = halves(Dialect::Grpc);
        assert!((9_700..10_300).contains(&first), "{first}");
        assert!((4_700..5_300).contains(&both), "{both}");
    }

    #[test]
    fn nothing_never_holds_and_one_always_does() {
        for dialect in [Dialect::Envoy, Dialect::Grpc] {
            let rules = MatchRules::of(dialect);
            for draw in (0..5_000).chain([u64::MAX, 999_999, 1_000_000]) {
                assert!(!holds(Fraction::new(0, 100), draw, 3, rules));
                assert!(holds(Fraction::ONE, draw, 3, rules));
            }
        }
    }
}
