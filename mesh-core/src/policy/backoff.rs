//! Waits: before a request is tried again, and before a connection is.

use std::time::Duration;

use crate::config::BackoffConfig;

/// Waits are never drawn from less than this (gRFC A44; Envoy).
const SHORTEST_BASE: Duration = Duration::from_millis(1);

/// The first wait after a failed connection, its growth with each further failure, its bound before
/// the spread, and the share by which it is spread either way, so that clients do not come back all
/// at once (gRPC, "connection back-off").
const CONNECTION_BASE: Duration = Duration::from_secs(1);
const CONNECTION_FACTOR: f64 = 1.6;
const CONNECTION_MAX: Duration = Duration::from_secs(120);
const CONNECTION_SPREAD: f64 = 0.2;

/// gRPC's connection back-off, which its name resolution and its xDS streams share: the wait after a
/// failure that follows `failures` others, spread by the random number `draw`. 1 s at first, 1.6
/// times as long after each further failure, up to 120 s, all spread by 20 % either way.
#[must_use]
pub fn connection_delay(failures: u32, draw: u64) -> Duration {
    // Bounded before it is raised: the power of a large count is not a finite number.
    let exponent = failures.min(64).cast_signed();
    let grown = CONNECTION_BASE.as_secs_f64() * CONNECTION_FACTOR.powi(exponent);
    let unit = (draw >> 11) as f64 / (1_u64 << 53) as f64;
    let spread = 1.0 - CONNECTION_SPREAD + 2.0 * CONNECTION_SPREAD * unit;
    Duration::from_secs_f64(grown.min(CONNECTION_MAX.as_secs_f64()) * spread)
}

impl BackoffConfig {
    /// The wait before the `retry`th retry, counted from 1 (0 counts as 1), by the random number
    /// `draw`: uniform over `[0, min(base * 2^(retry-1), max))`. A base below 1 ms counts as 1 ms and
    /// a maximum below the base as the base.
    #[must_use]
    pub fn delay(&self, retry: u32, draw: u64) -> Duration {
        let base = self.base.max(SHORTEST_BASE);
        let max = self.max.max(base);
        // From 2^128 times a millisecond on every edge is far above what a `Duration` can say.
        let doubled = 1_u128
            .checked_shl(retry.saturating_sub(1))
            .unwrap_or(u128::MAX);
        let edge = base
            .as_nanos()
            .saturating_mul(doubled)
            .min(max.as_nanos())
            .min(u128::from(u64::MAX));
        let drawn = (edge * u128::from(draw)) >> 64;
        Duration::from_nanos(u64::try_from(drawn).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Entropy;

    const TOP: u64 = u64::MAX;

    fn backoff(base: u64, max: u64) -> BackoffConfig {
        BackoffConfig {
            base: Duration::from_micros(base),
            max: Duration::from_micros(max),
        }
    }

    #[test]
    fn waits_for_connections_grow_to_their_bound_and_are_spread() {
        for (failures, seconds) in [
            (0, 1.0),
            (1, 1.6),
            (2, 2.56),
            (10, 109.95),
            (11, 120.0),
            (u32::MAX, 120.0),
        ] {
            let drawn = [0, 1 << 63, TOP].map(|draw| connection_delay(failures, draw));
            for (drawn, share) in drawn.into_iter().zip([0.8, 1.0, 1.2]) {
                let off = drawn.as_secs_f64() - share * seconds;
                assert!(off.abs() < 0.01, "{failures}: {drawn:?}");
            }
        }
    }

    #[test]
    fn the_upper_edge_doubles_up_to_the_maximum() {
        let default = BackoffConfig::default();
        let edges = [
            (0, 25),
            (1, 25),
            (2, 50),
            (3, 100),
            (4, 200),
            (5, 250),
            (1_000, 250),
        ];
        for (retry, millis) in edges {
            let edge = Duration::from_millis(millis);
            let last = default.delay(retry, TOP);
            assert!(
                last < edge && edge - last <= Duration::from_nanos(1),
                "retry {retry}: {last:?} of {edge:?}"
            );
            assert_eq!(default.delay(retry, 0), Duration::ZERO);
            assert_eq!(default.delay(retry, 1 << 63), edge / 2);
        }
    }

    #[test]
    fn bounds_out_of_order_are_put_right() {
        let millisecond = Duration::from_millis(1);
        for odd in [backoff(0, 0), backoff(10, 20), backoff(1_000, 0)] {
            let last = odd.delay(9, TOP);
            assert!(
                last < millisecond && last > millisecond / 2,
                "{odd:?}: {last:?}"
            );
        }
        let endless = BackoffConfig {
            base: Duration::MAX,
            max: Duration::MAX,
        };
        assert!(endless.delay(1_000, TOP) > Duration::from_secs(1 << 33));
        assert!(endless.delay(u32::MAX, TOP) > Duration::from_secs(1 << 33));
    }

    #[test]
    fn waits_are_uniform() {
        let seed = 11;
        let entropy = Entropy::seeded(seed);
        let mut tenths = [0_u32; 10];
        for _ in 0..10_000 {
            let wait = BackoffConfig::default().delay(5, entropy.draw());
            tenths[usize::try_from(wait.as_millis() / 25).unwrap()] += 1;
        }
        assert!(
            tenths.iter().all(|n| (900..1_100).contains(n)),
            "seed {seed}: {tenths:?}"
        );
    }
}
