//! How clusters balance: gRFC A42, A48, A52, A58; Envoy's "Load balancers".

use mesh_core::config::{
    Failover, LbConfig as Balancing, LbPolicyConfig, LeastRequestWeights, LocalityMode,
};
use mesh_proto::envoy::{
    config::cluster::v3::{
        LoadBalancingPolicy,
        cluster::{
            CommonLbConfig, LbConfig, LbPolicy, LbSubsetConfig, LeastRequestLbConfig,
            RingHashLbConfig,
            common_lb_config::{LocalityConfigSpecifier, ZoneAwareLbConfig},
        },
        load_balancing_policy::Policy,
    },
    extensions::load_balancing_policies::{
        client_side_weighted_round_robin::v3::ClientSideWeightedRoundRobin,
        common::v3::{LocalityLbConfig, locality_lb_config},
        least_request::v3::LeastRequest,
        maglev::v3::Maglev,
        pick_first::v3::PickFirst,
        random::v3::Random,
        ring_hash::v3::RingHash,
        round_robin::v3::RoundRobin,
        wrr_locality::v3::WrrLocality,
    },
    r#type::v3::Percent,
};

use super::*;

fn with(policy: LbPolicy, config: Option<LbConfig>) -> Cluster {
    Cluster {
        lb_policy: policy as i32,
        lb_config: config,
        ..eds()
    }
}

fn lb(dialect: Dialect, message: &Cluster) -> Balancing {
    cluster(dialect, message).lb
}

fn list(entries: Vec<Any>) -> LoadBalancingPolicy {
    let policy = |any| Policy {
        typed_extension_config: Some(core::TypedExtensionConfig {
            name: String::new(),
            typed_config: Some(any),
        }),
    };
    LoadBalancingPolicy {
        policies: entries.into_iter().map(policy).collect(),
    }
}

fn listed(entries: Vec<Any>) -> Cluster {
    Cluster {
        load_balancing_policy: Some(list(entries)),
        ..eds()
    }
}

fn wrr_locality(entries: Vec<Any>) -> Any {
    Any::pack(&WrrLocality {
        endpoint_picking_policy: Some(list(entries)),
    })
}

fn unsupported(name: &str) -> LbPolicyConfig {
    LbPolicyConfig::Unsupported(name.into())
}

#[test]
fn round_robin_by_name() {
    for dialect in BOTH {
        let found = lb(dialect, &with(LbPolicy::RoundRobin, None));
        assert_eq!(found, Balancing::of(dialect));
    }
    let grpc = Balancing::of(Dialect::Grpc);
    assert_eq!(grpc.policy, LbPolicyConfig::RoundRobin { weighted: false });
    assert_eq!(grpc.locality, LocalityMode::Weighted);
}

#[test]
fn least_request_by_name() {
    let choices = |choice_count| {
        with(
            LbPolicy::LeastRequest,
            Some(LbConfig::LeastRequestLbConfig(LeastRequestLbConfig {
                choice_count,
                ..Default::default()
            })),
        )
    };
    for (dialect, weights) in [
        (Dialect::Grpc, LeastRequestWeights::Ignore),
        (Dialect::Envoy, LeastRequestWeights::Schedule { bias: 1.0 }),
    ] {
        for (given, choices_expected) in [(None, 2), (Some(2), 2), (Some(10), 10), (Some(99), 10)] {
            let found = lb(dialect, &choices(given)).policy;
            let choices = choices_expected;
            assert_eq!(found, LbPolicyConfig::LeastRequest { choices, weights });
        }
        assert_eq!(
            lb(dialect, &with(LbPolicy::LeastRequest, None)).policy,
            LbPolicyConfig::LeastRequest {
                choices: 2,
                weights
            }
        );
        for bad in [0, 1] {
            assert_eq!(
                errors(dialect, &choices(Some(bad))),
                [format!(
                    "least_request_lb_config.choice_count: {bad} is less than 2"
                )]
            );
        }
    }
    let bias = |default_value| {
        with(
            LbPolicy::LeastRequest,
            Some(LbConfig::LeastRequestLbConfig(LeastRequestLbConfig {
                active_request_bias: Some(core::RuntimeDouble {
                    default_value,
                    runtime_key: "x".to_owned(),
                }),
                ..Default::default()
            })),
        )
    };
    assert_eq!(
        lb(Dialect::Envoy, &bias(0.5)).policy,
        LbPolicyConfig::LeastRequest {
            choices: 2,
            weights: LeastRequestWeights::Schedule { bias: 0.5 },
        }
    );
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(
            errors(Dialect::Envoy, &bias(bad)),
            ["least_request_lb_config.active_request_bias.default_value: must not be negative"]
        );
        lb(Dialect::Grpc, &bias(bad));
    }
}

#[test]
fn ring_hash_is_checked_and_leaves_the_cluster_unavailable() {
    let ring = |min, max, hash_function| {
        with(
            LbPolicy::RingHash,
            Some(LbConfig::RingHashLbConfig(RingHashLbConfig {
                minimum_ring_size: min,
                maximum_ring_size: max,
                hash_function,
            })),
        )
    };
    let max = 8 << 20;
    let at = "ring_hash_lb_config";
    for dialect in BOTH {
        for message in [
            with(LbPolicy::RingHash, None),
            ring(None, None, 0),
            ring(Some(max), Some(max), 0),
        ] {
            assert_eq!(lb(dialect, &message).policy, unsupported("RING_HASH"));
        }
        assert_eq!(
            errors(dialect, &ring(Some(max + 1), Some(max + 1), 9)),
            [
                format!("{at}.hash_function: is not supported"),
                format!("{at}.minimum_ring_size: is above 8388608"),
                format!("{at}.maximum_ring_size: is above 8388608"),
            ]
        );
        for message in [ring(Some(2), Some(1), 0), ring(None, Some(1023), 0)] {
            assert_eq!(
                errors(dialect, &message),
                [format!(
                    "{at}.minimum_ring_size: is above maximum_ring_size"
                )]
            );
        }
    }
    let murmur = ring(None, None, 1);
    lb(Dialect::Envoy, &murmur);
    assert_eq!(
        errors(Dialect::Grpc, &murmur),
        [format!("{at}.hash_function: is not supported")]
    );
}

#[test]
fn other_names() {
    let random = with(LbPolicy::Random, None);
    assert_eq!(lb(Dialect::Envoy, &random).policy, LbPolicyConfig::Random);
    let maglev = with(LbPolicy::Maglev, None);
    assert_eq!(lb(Dialect::Envoy, &maglev).policy, unsupported("MAGLEV"));
    for (policy, name) in [(LbPolicy::Random, "RANDOM"), (LbPolicy::Maglev, "MAGLEV")] {
        assert_eq!(
            errors(Dialect::Grpc, &with(policy, None)),
            [format!("lb_policy: {name} is not supported here")]
        );
    }
    for dialect in BOTH {
        assert_eq!(
            errors(dialect, &with(LbPolicy::ClusterProvided, None)),
            ["lb_policy: CLUSTER_PROVIDED is not supported here"]
        );
        let odd = Cluster {
            lb_policy: 4,
            ..eds()
        };
        assert_eq!(errors(dialect, &odd), ["lb_policy: is not a known value"]);
        // The list goes before the name.
        let listed = Cluster {
            lb_policy: LbPolicy::LoadBalancingPolicyConfig as i32,
            ..listed(vec![Any::pack(&RoundRobin::default())])
        };
        lb(dialect, &listed);
    }
}

#[test]
fn the_first_entry_that_can_be_done_is_taken() {
    let round_robin = || Any::pack(&RoundRobin::default());
    let unknown = Any::pack(&Cluster::default());
    let pick_first = Any::pack(&PickFirst::default());
    let wrr = Any::pack(&ClientSideWeightedRoundRobin::default());
    for dialect in BOTH {
        let expected = Balancing::of(dialect).policy;
        for entries in [
            vec![round_robin()],
            vec![unknown.clone(), round_robin()],
            vec![wrr.clone(), round_robin()],
            vec![round_robin(), Any::pack(&PickFirst::default())],
        ] {
            let found = lb(dialect, &listed(entries));
            assert_eq!(found.policy, expected);
            assert_eq!(found.locality, LocalityMode::Ignore);
        }
        let found = lb(
            dialect,
            &listed(vec![wrr_locality(vec![unknown.clone(), round_robin()])]),
        );
        assert_eq!(found.policy, expected);
        assert_eq!(found.locality, LocalityMode::Weighted);
        for (entry, name) in [
            (pick_first.clone(), "pick_first"),
            (wrr.clone(), "client_side_weighted_round_robin"),
            (
                wrr_locality(vec![wrr.clone()]),
                "client_side_weighted_round_robin",
            ),
            (Any::pack(&RingHash::default()), "ring_hash"),
        ] {
            let entries = vec![unknown.clone(), entry, pick_first.clone()];
            assert_eq!(lb(dialect, &listed(entries)).policy, unsupported(name));
        }
    }
}

#[test]
fn bad_lists_are_named() {
    let entry = |i: usize| {
        format!("load_balancing_policy.policies[{i}].typed_extension_config.typed_config")
    };
    let unknown = Any::pack(&Cluster::default());
    for dialect in BOTH {
        for entries in [vec![], vec![unknown.clone()]] {
            assert_eq!(
                errors(dialect, &listed(entries)),
                ["load_balancing_policy.policies: hold no policy that is known here"]
            );
        }
        let missing = Cluster {
            load_balancing_policy: Some(LoadBalancingPolicy {
                policies: vec![Policy::default()],
            }),
            ..eds()
        };
        assert_eq!(
            errors(dialect, &missing),
            [format!("{}: is missing", entry(0))]
        );
        // A known entry that is wrong is not passed over.
        let bad = Any::pack(&LeastRequest {
            choice_count: Some(1),
            ..Default::default()
        });
        let entries = vec![bad, Any::pack(&RoundRobin::default())];
        assert_eq!(
            errors(dialect, &listed(entries)),
            [format!("{}.choice_count: 1 is less than 2", entry(0))]
        );
        let entries = vec![Any::pack(&WrrLocality::default())];
        assert_eq!(
            errors(dialect, &listed(entries)),
            [format!("{}.endpoint_picking_policy: is missing", entry(0))]
        );
        let penalty = Any::pack(&ClientSideWeightedRoundRobin {
            error_utilization_penalty: Some(-1.0),
            blackout_period: Some(millis(-1)),
            ..Default::default()
        });
        assert_eq!(
            errors(dialect, &listed(vec![penalty])),
            [
                format!("{}.blackout_period: is a negative duration", entry(0)),
                format!(
                    "{}.error_utilization_penalty: must not be negative",
                    entry(0)
                ),
            ]
        );
    }
}

#[test]
fn lists_nest_sixteen_deep() {
    let nested = |depth: usize| {
        let round_robin = Any::pack(&RoundRobin::default());
        (1..depth).fold(round_robin, |inner, _| wrr_locality(vec![inner]))
    };
    for dialect in BOTH {
        lb(dialect, &listed(vec![nested(16)]));
        let found = errors(dialect, &listed(vec![nested(17)]));
        assert_eq!(found.len(), 1);
        assert!(
            found[0].ends_with(": is nested deeper than 16"),
            "{found:?}"
        );
        assert_eq!(errors(dialect, &listed(vec![nested(2_000)])).len(), 1);
    }
}

#[test]
fn what_only_envoy_has_in_lists() {
    let locality = Some(LocalityLbConfig {
        locality_config_specifier: Some(
            locality_lb_config::LocalityConfigSpecifier::LocalityWeightedLbConfig(
                Default::default(),
            ),
        ),
    });
    let random = Any::pack(&Random {
        locality_lb_config: locality,
    });
    let found = lb(Dialect::Envoy, &listed(vec![random.clone()]));
    assert_eq!(found.policy, LbPolicyConfig::Random);
    assert_eq!(found.locality, LocalityMode::Weighted);
    let maglev = lb(Dialect::Envoy, &listed(vec![Any::pack(&Maglev::default())]));
    assert_eq!(maglev.policy, unsupported("maglev"));
    let round_robin = Any::pack(&RoundRobin {
        locality_lb_config: locality,
        ..Default::default()
    });
    let found = lb(Dialect::Grpc, &listed(vec![random, round_robin]));
    assert_eq!(found.policy, LbPolicyConfig::RoundRobin { weighted: false });
    assert_eq!(found.locality, LocalityMode::Ignore);
}

#[test]
fn panic_and_localities_are_envoys() {
    let common = |threshold: Option<f64>, specifier| Cluster {
        common_lb_config: Some(CommonLbConfig {
            healthy_panic_threshold: threshold.map(|value| Percent { value }),
            locality_config_specifier: specifier,
            ..Default::default()
        }),
        ..eds()
    };
    let weighted = Some(LocalityConfigSpecifier::LocalityWeightedLbConfig(
        Default::default(),
    ));
    let zone = Some(LocalityConfigSpecifier::ZoneAwareLbConfig(
        ZoneAwareLbConfig {
            fail_traffic_on_panic: true,
            ..Default::default()
        },
    ));
    let spill = |panic_threshold, fail_on_panic| Failover::Spill {
        panic_threshold,
        fail_on_panic,
    };
    let found = lb(Dialect::Envoy, &common(Some(33.5), weighted));
    assert_eq!(found.failover, spill(34, false));
    assert_eq!(found.locality, LocalityMode::Weighted);
    assert_eq!(
        lb(Dialect::Envoy, &common(Some(0.0), zone)).failover,
        spill(0, true)
    );
    assert_eq!(
        lb(Dialect::Envoy, &common(None, None)).failover,
        spill(50, false)
    );
    assert_eq!(
        errors(Dialect::Envoy, &common(Some(101.0), None)),
        ["common_lb_config.healthy_panic_threshold.value: 101 is not within 0 to 100"]
    );
    let found = lb(Dialect::Grpc, &common(Some(101.0), weighted));
    assert_eq!(found, Balancing::of(Dialect::Grpc));
}

#[test]
fn subsets_leave_the_cluster_unavailable() {
    let subset = |selectors| Cluster {
        lb_subset_config: Some(LbSubsetConfig {
            subset_selectors: selectors,
            ..Default::default()
        }),
        ..eds()
    };
    let found = lb(Dialect::Envoy, &subset(vec![Default::default()])).policy;
    assert_eq!(found, unsupported("lb_subset_config"));
    let none = lb(Dialect::Envoy, &subset(vec![]));
    assert_eq!(none, Balancing::of(Dialect::Envoy));
    let grpc = lb(Dialect::Grpc, &subset(vec![Default::default()]));
    assert_eq!(grpc, Balancing::of(Dialect::Grpc));
}
