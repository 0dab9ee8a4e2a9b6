//! Shares of each picker, with seeded randomness.

use proptest::prelude::*;

use crate::{
    config::{LbPolicyConfig, LeastRequestWeights},
    entropy::Entropy,
    lb::{Loads, PickContext, Picker, picker},
};

struct Fixed(Vec<u32>);

impl Loads for Fixed {
    fn active(&self, index: usize) -> u32 {
        self.0[index]
    }
}

fn shares(picker: &dyn Picker, loads: &[u32], count: usize, seed: u64) -> Vec<usize> {
    let entropy = Entropy::seeded(seed);
    let cx = PickContext { entropy: &entropy };
    let loads = Fixed(loads.to_vec());
    let mut shares = vec![0; loads.0.len()];
    for _ in 0..count {
        shares[picker.pick(&cx, &loads)] += 1;
    }
    shares
}

const fn least_request(choices: u32, bias: f64) -> LbPolicyConfig {
    LbPolicyConfig::LeastRequest {
        choices,
        weights: LeastRequestWeights::Schedule { bias },
    }
}

fn near(shares: &[usize], expected: &[f64], tolerance: f64) {
    let count: usize = shares.iter().sum();
    for (share, expected) in shares.iter().zip(expected) {
        let share = *share as f64 / count as f64;
        assert!(
            (share - expected).abs() < tolerance,
            "{share} of {expected}: {shares:?}"
        );
    }
}

#[test]
fn nothing_is_built_over_nothing_or_for_the_unknown() {
    assert!(picker(&LbPolicyConfig::Random, &[], 0).is_none());
    assert!(picker(&LbPolicyConfig::Unsupported("MAGLEV".into()), &[1], 0).is_none());
}

#[test]
fn rotations_begin_where_they_are_told_to() {
    for weighted in [false, true] {
        let firsts: std::collections::HashSet<usize> = (0..64)
            .map(|start| {
                let start = Entropy::seeded(start).draw();
                let picker = picker(&LbPolicyConfig::RoundRobin { weighted }, &[1, 1, 2], start);
                let shares = shares(&*picker.unwrap(), &[0, 0, 0], 1, 0);
                shares.iter().position(|it| *it == 1).unwrap()
            })
            .collect();
        assert_eq!(firsts.len(), 3);
    }
}

#[test]
fn weights_count_only_where_they_should() {
    let plain = LbPolicyConfig::RoundRobin { weighted: false };
    let ignoring = LbPolicyConfig::LeastRequest {
        choices: 2,
        weights: LeastRequestWeights::Ignore,
    };
    let plain = picker(&plain, &[1, 9], 0).unwrap();
    assert_eq!(shares(&*plain, &[0, 0], 100, 1), [50, 50]);
    let ignoring = picker(&ignoring, &[1, 9], 0).unwrap();
    near(&shares(&*ignoring, &[0, 0], 10_000, 1), &[0.5, 0.5], 0.02);
    let random = picker(&LbPolicyConfig::Random, &[1, 9], 0).unwrap();
    near(&shares(&*random, &[0, 0], 10_000, 1), &[0.5, 0.5], 0.02);
}

#[test]
fn the_less_loaded_of_two_wins_and_the_first_on_a_tie() {
    let picker = picker(&least_request(2, 1.0), &[1; 4], 0).unwrap();
    // The busiest is taken only when it is drawn twice: 1 in 16. The idlest: 7 in 16.
    let expected = [1.0 / 16.0, 3.0 / 16.0, 5.0 / 16.0, 7.0 / 16.0];
    near(&shares(&*picker, &[9, 6, 4, 1], 20_000, 3), &expected, 0.01);
    near(&shares(&*picker, &[5; 4], 20_000, 3), &[0.25; 4], 0.01);
    for seed in 0..20 {
        let first = crate::lb::index_below(Entropy::seeded(seed).draw(), 4);
        assert_eq!(shares(&*picker, &[5; 4], 1, seed)[first], 1, "seed {seed}");
    }
}

#[test]
fn more_choices_find_the_idle_one_more_often() {
    let loads = [0, 9, 9, 9];
    for (choices, expected) in [
        (2, 7.0 / 16.0),
        (4, 1.0 - 0.75f64.powi(4)),
        (99, 1.0 - 0.75f64.powi(10)),
    ] {
        let picker = picker(&least_request(choices, 1.0), &[1; 4], 0).unwrap();
        let shares = shares(&*picker, &loads, 20_000, 3);
        let share = shares[0] as f64 / 20_000.0;
        assert!(
            (share - expected).abs() < 0.015,
            "{choices} choices: {share} of {expected}"
        );
    }
}

#[test]
fn unequal_weights_are_exact_while_loads_are_equal() {
    for bias in [0.0, 1.0, 2.5] {
        let picker = picker(&least_request(2, bias), &[1, 2, 5], 3).unwrap();
        for _ in 0..10 {
            assert_eq!(shares(&*picker, &[4; 3], 8, 1), [1, 2, 5], "bias {bias}");
        }
    }
    let picker = picker(&least_request(2, 0.0), &[1, 2, 5], 3).unwrap();
    assert_eq!(
        shares(&*picker, &[0, 9, 40], 8, 1),
        [1, 2, 5],
        "a bias of 0 ignores loads"
    );
}

#[test]
fn unequal_weights_are_divided_by_load() {
    // weights, loads, bias, expected shares: weight / (active + 1)^bias, normalised.
    type Case<'a> = (&'a [u32], &'a [u32], f64, &'a [f64]);
    let cases: &[Case<'_>] = &[
        (&[1, 3], &[0, 2], 1.0, &[0.5, 0.5]),
        (&[1, 2], &[1, 0], 1.0, &[0.2, 0.8]),
        (
            &[1, 2, 5],
            &[0, 1, 4],
            1.0,
            &[1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0],
        ),
        (&[2, 1], &[3, 0], 0.5, &[0.5, 0.5]),
        (&[4, 1], &[1, 0], 2.0, &[0.5, 0.5]),
    ];
    for (weights, loads, bias, expected) in cases {
        let picker = picker(&least_request(2, *bias), weights, 3).unwrap();
        near(&shares(&*picker, loads, 20_000, 7), expected, 0.03);
    }
}

#[test]
fn a_strange_bias_is_borne() {
    for bias in [f64::NAN, f64::INFINITY, -1.0, f64::MAX] {
        let picker = picker(&least_request(2, bias), &[1, 2], 3).unwrap();
        let shares = shares(&*picker, &[u32::MAX, 0], 100, 1);
        assert_eq!(shares.iter().sum::<usize>(), 100);
    }
}

proptest! {
    #[test]
    fn every_picker_stays_in_range_and_near_its_weights(
        weights in prop::collection::vec(1u32..9, 1..8),
        which in 0usize..3,
        seed: u64,
    ) {
        let policy = [
            LbPolicyConfig::RoundRobin { weighted: true },
            least_request(2, 1.0),
            LbPolicyConfig::Random,
        ];
        let picker = picker(&policy[which], &weights, seed).unwrap();
        let total: u32 = weights.iter().sum();
        let count = 200 * total as usize;
        let shares = shares(&*picker, &vec![3; weights.len()], count, seed);
        for (share, weight) in shares.iter().zip(&weights) {
            let due = match policy[which] {
                LbPolicyConfig::Random => count as f64 / weights.len() as f64,
                _ => 200.0 * f64::from(*weight),
            };
            // Six standard deviations of a draw.
            prop_assert!((*share as f64 - due).abs() <= 6.0 * due.sqrt(), "{:?}", shares);
        }
    }
}
