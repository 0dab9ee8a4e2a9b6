//! Envoy's priorities: how much of the load each gets, and when one panics (Envoy, "priority
//! levels", "panic threshold", "degraded endpoints").

use serde::Serialize;

/// The endpoints of one priority by health. Connectivity does not count here: Envoy knows of health
/// only what it is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Census {
    /// All, draining ones included.
    pub total: usize,
    /// Those that health does not count: draining.
    pub excluded: usize,
    /// Healthy ones.
    pub healthy: usize,
    /// Degraded ones.
    pub degraded: usize,
}

/// What one priority gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct PriorityLoad {
    /// Percent of all requests for its healthy endpoints.
    pub healthy: u32,
    /// Percent of all requests for its degraded endpoints.
    pub degraded: u32,
    /// Whether health is ignored and all its endpoints share what it gets.
    pub panic: bool,
}

/// Shares 100 percent among priorities. `factor` is the overprovisioning factor in percent,
/// `panic_threshold` the percent of usable endpoints below which a priority panics (0: never).
///
/// Loads add up to 100 unless there is no priority.
#[must_use]
pub fn spill(priorities: &[Census], factor: u32, panic_threshold: u8) -> Vec<PriorityLoad> {
    let mut loads = vec![PriorityLoad::default(); priorities.len()];
    let healthy: Vec<u32> = shares(priorities, factor, |it| it.healthy);
    let degraded: Vec<u32> = shares(priorities, factor, |it| it.degraded);
    let available = healthy.iter().chain(&degraded).sum::<u32>().min(100);
    if available > 0 {
        let (rest, first_healthy) = distribute(&healthy, 100, available, |priority, load| {
            loads[priority].healthy = load;
        });
        let (rest, first_degraded) = distribute(&degraded, rest, available, |priority, load| {
            loads[priority].degraded = load;
        });
        // What is left are rounding errors.
        match (first_healthy, first_degraded) {
            (Some(first), _) => loads[first].healthy += rest,
            (None, Some(first)) => loads[first].degraded += rest,
            (None, None) => {}
        }
    }
    if panic_threshold > 0 && available < 100 {
        for (load, census) in loads.iter_mut().zip(priorities) {
            load.panic = panics(census, panic_threshold.min(100));
        }
    }
    if loads.iter().all(|load| load.panic) {
        by_count(priorities, &mut loads);
    } else if available == 0 {
        // Nobody may serve, yet the load must fall somewhere to be refused.
        loads[0].healthy = 100;
    }
    loads
}

/// Percent of availability of each priority, overbooked, at most 100.
fn shares(priorities: &[Census], factor: u32, count: impl Fn(&Census) -> usize) -> Vec<u32> {
    let share = |census: &Census| {
        let counted = census.total.saturating_sub(census.excluded) as u128;
        let overbooked = u128::from(factor) * count(census) as u128;
        let percent = overbooked.checked_div(counted).unwrap_or(0);
        u32::try_from(percent).unwrap_or(100).min(100)
    };
    priorities.iter().map(share).collect()
}

/// Gives out `load` in order of priority, each getting its availability as a share of `available`.
/// Gives what is left and the first priority with any availability.
fn distribute(
    shares: &[u32],
    mut load: u32,
    available: u32,
    mut give: impl FnMut(usize, u32),
) -> (u32, Option<usize>) {
    for (priority, share) in shares.iter().enumerate() {
        let given = (share * 100 / available).min(load);
        give(priority, given);
        load -= given;
    }
    (load, shares.iter().position(|share| *share > 0))
}

/// Whether fewer than `threshold` percent of the counted endpoints are usable.
fn panics(census: &Census, threshold: u8) -> bool {
    let counted = census.total.saturating_sub(census.excluded) as u128;
    let usable = (census.healthy + census.degraded) as u128;
    counted == 0 || 100 * usable < u128::from(threshold) * counted
}

/// All in panic: the load goes by the number of endpoints, healthy or not.
fn by_count(priorities: &[Census], loads: &mut [PriorityLoad]) {
    let total: usize = priorities.iter().map(|census| census.total).sum();
    let mut rest = 100;
    for (load, census) in loads.iter_mut().zip(priorities) {
        let share = (100 * census.total as u128).checked_div(total as u128);
        load.healthy = u32::try_from(share.unwrap_or(0)).unwrap_or(0);
        load.degraded = 0;
        rest -= load.healthy;
    }
    let first = priorities.iter().position(|census| census.total > 0);
    if let Some(load) = loads.get_mut(first.unwrap_or(0)) {
        load.healthy += rest;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn census(healthy: usize, degraded: usize, unhealthy: usize, draining: usize) -> Census {
        Census {
            total: healthy + degraded + unhealthy + draining,
            excluded: draining,
            healthy,
            degraded,
        }
    }

    fn load(healthy: u32, degraded: u32, panic: bool) -> PriorityLoad {
        PriorityLoad {
            healthy,
            degraded,
            panic,
        }
    }

    #[test]
    fn load_follows_health() {
        let cases: &[(&str, &[Census], u8, &[PriorityLoad])] = &[
            (
                "all healthy",
                &[census(2, 0, 0, 0), census(1, 0, 0, 0)],
                50,
                &[load(100, 0, false), load(0, 0, false)],
            ),
            // Observed 68/32.
            (
                "half of the first healthy",
                &[census(1, 0, 1, 0), census(2, 0, 0, 0)],
                50,
                &[load(70, 0, false), load(30, 0, false)],
            ),
            // 35 + 35, normalised; observed 50/50. Both are below the threshold, so that they panic
            // unless that is off.
            (
                "a quarter of each",
                &[census(1, 0, 3, 0), census(1, 0, 3, 0)],
                0,
                &[load(50, 0, false), load(50, 0, false)],
            ),
            // Observed 69/31.
            (
                "degraded endpoints take the rest",
                &[census(2, 2, 0, 0)],
                50,
                &[load(70, 30, false)],
            ),
            // 46 + 46 of 92; observed 50/50.
            (
                "an unhealthy one counts",
                &[census(1, 1, 1, 0)],
                50,
                &[load(50, 50, false)],
            ),
            // 70 + 70 of 100; observed 72/28.
            (
                "a draining one does not",
                &[census(1, 1, 0, 1)],
                50,
                &[load(70, 30, false)],
            ),
            (
                "the first without any",
                &[census(0, 0, 2, 0), census(2, 0, 0, 0)],
                50,
                &[load(0, 0, false), load(100, 0, false)],
            ),
            (
                "the first without endpoints",
                &[census(0, 0, 0, 0), census(2, 0, 0, 0)],
                50,
                &[load(0, 0, false), load(100, 0, false)],
            ),
            // 20 + 56 = 76: shares 26 and 73, and the rest of 1 to the first.
            (
                "rounding goes to the first",
                &[census(1, 0, 6, 0), census(2, 0, 3, 0)],
                0,
                &[load(27, 0, false), load(73, 0, false)],
            ),
            (
                "rounding goes to the first degraded",
                &[census(0, 1, 6, 0), census(0, 2, 3, 0)],
                0,
                &[load(0, 27, false), load(0, 73, false)],
            ),
            // 28 + 70 = 98, below 100: the first is at 20 %.
            (
                "one panics alone",
                &[census(1, 0, 4, 0), census(1, 0, 1, 0)],
                50,
                &[load(29, 0, true), load(71, 0, false)],
            ),
            (
                "none panics while there is enough",
                &[census(1, 0, 4, 0), census(2, 0, 0, 0)],
                50,
                &[load(28, 0, false), load(72, 0, false)],
            ),
            // Observed 67/33.
            (
                "all panic: by number",
                &[census(0, 0, 2, 0), census(0, 0, 1, 0)],
                50,
                &[load(67, 0, true), load(33, 0, true)],
            ),
            (
                "all panic: draining ones count in the number",
                &[census(0, 0, 1, 1), census(0, 0, 1, 0)],
                50,
                &[load(67, 0, true), load(33, 0, true)],
            ),
            (
                "degraded ones hold off panic",
                &[census(0, 1, 1, 0)],
                50,
                &[load(0, 100, false)],
            ),
            (
                "exactly at the threshold",
                &[census(1, 0, 1, 0)],
                50,
                &[load(100, 0, false)],
            ),
            (
                "just below it",
                &[census(2, 0, 3, 0)],
                50,
                &[load(100, 0, true)],
            ),
            (
                "a threshold of zero never panics",
                &[census(0, 0, 2, 0), census(0, 0, 2, 0)],
                0,
                &[load(100, 0, false), load(0, 0, false)],
            ),
            (
                "no endpoint at all",
                &[census(0, 0, 0, 0)],
                50,
                &[load(100, 0, true)],
            ),
            ("no priority", &[], 50, &[]),
        ];
        for (name, priorities, threshold, expected) in cases {
            assert_eq!(spill(priorities, 140, *threshold), *expected, "{name}");
        }
    }

    #[test]
    fn the_factor_decides_when_load_spills() {
        let priorities = [census(3, 0, 1, 0), census(1, 0, 0, 0)];
        for (factor, first) in [
            (100, 75),
            (120, 90),
            (134, 100),
            (140, 100),
            (u32::MAX, 100),
        ] {
            assert_eq!(
                spill(&priorities, factor, 0)[0].healthy,
                first,
                "factor {factor}"
            );
        }
    }

    fn any_census() -> impl Strategy<Value = Census> {
        (0usize..20, 0usize..20, 0usize..20, 0usize..20).prop_map(
            |(healthy, degraded, unhealthy, draining)| {
                census(healthy, degraded, unhealthy, draining)
            },
        )
    }

    proptest! {
        #[test]
        fn loads_add_up_and_fall_on_somebody(
            priorities in prop::collection::vec(any_census(), 1..6),
            factor in 1u32..400,
            threshold in 0u8..=100,
        ) {
            let loads = spill(&priorities, factor, threshold);
            prop_assert_eq!(loads.iter().map(|it| it.healthy + it.degraded).sum::<u32>(), 100);
            let usable = priorities.iter().any(|it| factor as usize * (it.healthy.max(it.degraded)) >= it.total);
            for (load, census) in loads.iter().zip(&priorities) {
                if usable && !load.panic {
                    prop_assert!(load.healthy == 0 || census.healthy > 0);
                    prop_assert!(load.degraded == 0 || census.degraded > 0);
                }
            }
        }
    }
}
