//! How localities share a priority (Envoy, "locality weighted load balancing"; gRFC A27).

/// How exact effective weights are: parts that a locality's whole weight is divided into.
const PARTS: u64 = 1_000_000;

/// Envoy's effective weight of a locality: its weight times the share of its endpoints that is
/// usable, overbooked by `factor` percent and at most the whole. `counted` leaves out draining
/// endpoints.
///
/// In millionths; at least 1 if the locality has a weight and a usable endpoint at all.
#[must_use]
pub fn effective_weight(weight: u32, usable: usize, counted: usize, factor: u32) -> u64 {
    if weight == 0 || usable == 0 || counted == 0 {
        return 0;
    }
    let (usable, counted) = (usable as u128, counted as u128);
    let parts = u128::from(PARTS) * u128::from(factor) * usable / (100 * counted);
    let parts = u64::try_from(parts).unwrap_or(PARTS).clamp(1, PARTS);
    u64::from(weight) * parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_shrinks_with_the_share_of_healthy_endpoints() {
        // weight, usable, counted, factor -> effective weight in millionths
        let cases = [
            ((1, 2, 2, 140), 1_000_000),
            // Half of it healthy, overbooked by 1.4: 70 to the whole one's 100 (observed 41/59).
            ((1, 1, 2, 140), 700_000),
            ((3, 2, 2, 140), 3_000_000),
            ((1, 5, 7, 140), 1_000_000),
            ((1, 1, 2, 100), 500_000),
            ((1, 1, 2, 200), 1_000_000),
            ((0, 2, 2, 140), 0),
            ((1, 0, 2, 140), 0),
            ((1, 1, 100_000_000, 1), 1),
        ];
        for ((weight, usable, counted, factor), effective) in cases {
            assert_eq!(effective_weight(weight, usable, counted, factor), effective);
        }
    }
}
