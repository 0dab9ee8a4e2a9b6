//! The Envoy dialect: health, weights, panic.

use super::*;

const DEGRADED: HealthStatus = HealthStatus::Degraded;
const UNHEALTHY: HealthStatus = HealthStatus::Unhealthy;
const DRAINING: HealthStatus = HealthStatus::Draining;

/// Endpoints 1, 2, ... with these healths.
fn of_health(healths: &[HealthStatus]) -> LocalityConfig {
    let specs: Vec<Spec> = (1..)
        .zip(healths)
        .map(|(port, health)| (port, *health, 1))
        .collect();
    locality("a", 0, Some(1), &specs)
}

fn percent(counts: &HashMap<u16, usize>, ports: &[u16]) -> usize {
    let all: usize = counts.values().sum();
    let some: usize = ports.iter().filter_map(|it| counts.get(it)).sum();
    (100 * some + all / 2) / all
}

fn envoy(localities: impl Into<Vec<LocalityConfig>>) -> ClusterRuntime<Slot> {
    runtime(&snapshot(Dialect::Envoy, localities, |_| {}))
}

#[test]
fn equal_endpoints_take_turns() {
    let runtime = envoy([plain(1..=4)]);
    let even = HashMap::from([(1, 10), (2, 10), (3, 10), (4, 10)]);
    assert_eq!(tally(&runtime, 40), even);
}

#[test]
fn weights_hold_exactly_in_every_cycle() {
    let specs = [(1, HEALTHY, 1), (2, HEALTHY, 2), (3, HEALTHY, 5)];
    let runtime = envoy([locality("a", 0, None, &specs)]);
    for _ in 0..20 {
        assert_eq!(tally(&runtime, 8), HashMap::from([(1, 1), (2, 2), (3, 5)]));
    }
    let specs = [(1, HEALTHY, 300), (2, HEALTHY, 100)];
    let runtime = envoy([locality("a", 0, None, &specs)]);
    assert_eq!(tally(&runtime, 200), HashMap::from([(1, 150), (2, 50)]));
}

#[test]
fn load_spills_by_health() {
    let second = |ports: &[u16]| {
        let specs: Vec<Spec> = ports.iter().map(|port| (*port, HEALTHY, 1)).collect();
        locality("b", 7, Some(1), &specs)
    };
    let cases: [(&str, Vec<LocalityConfig>, &[u16], usize); 4] = [
        (
            "half healthy",
            vec![of_health(&[HEALTHY, UNHEALTHY]), second(&[8, 9])],
            &[1],
            70,
        ),
        (
            "degraded",
            vec![of_health(&[HEALTHY, HEALTHY, DEGRADED, DEGRADED])],
            &[1, 2],
            70,
        ),
        (
            "unhealthy counts",
            vec![of_health(&[HEALTHY, UNHEALTHY, DEGRADED])],
            &[1],
            50,
        ),
        (
            "draining does not",
            vec![of_health(&[HEALTHY, DRAINING, DEGRADED])],
            &[1],
            70,
        ),
    ];
    for (name, localities, ports, expected) in cases {
        let counts = tally(&envoy(localities), 10_000);
        let got = percent(&counts, ports);
        assert!(got.abs_diff(expected) <= 2, "{name}: {got} of {expected} %");
    }
}

#[test]
fn in_panic_all_endpoints_are_used_but_the_failed_ones() {
    let localities = [
        of_health(&[UNHEALTHY, UNHEALTHY]),
        locality("b", 1, Some(1), &[(3, UNHEALTHY, 1)]),
    ];
    let runtime = envoy(localities);
    let counts = tally(&runtime, 10_000);
    assert!(percent(&counts, &[1, 2]).abs_diff(67) <= 2, "{counts:?}");
    assert!(
        runtime
            .explain(Instant::now())
            .shares
            .iter()
            .all(|it| it.panic)
    );
    pool(&runtime, 1).set_failed(Instant::now(), 0, "refused");
    for _ in 0..2 {
        let counts = tally(&runtime, 10_000);
        assert_eq!(counts.get(&1), None);
        assert!(percent(&counts, &[2]).abs_diff(67) <= 2, "{counts:?}");
        runtime.rebuild(Instant::now());
    }
}

#[test]
fn panic_can_be_off_or_a_failure() {
    let entropy = Entropy::seeded(1);
    for (panic_threshold, fail_on_panic, text) in [
        (
            0,
            false,
            "the cluster has no healthy endpoint (cluster shop): the control plane is away",
        ),
        (
            50,
            true,
            "too few healthy endpoints, and the cluster is to fail then (cluster shop): the control plane is away",
        ),
    ] {
        let mut shop = snapshot(
            Dialect::Envoy,
            [of_health(&[UNHEALTHY, UNHEALTHY, UNHEALTHY])],
            |it| {
                it.lb.failover = Failover::Spill {
                    panic_threshold,
                    fail_on_panic,
                };
            },
        );
        shop.note = Some("the control plane is away".into());
        match runtime(&shop).pick(&entropy) {
            Pick::Fail(error) => {
                assert_eq!(error.kind(), ErrorKind::NoEndpoint);
                assert_eq!(error.to_string(), text);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn without_endpoints_requests_fail_at_once() {
    for dialect in [Dialect::Grpc, Dialect::Envoy] {
        for localities in [vec![], vec![plain([])]] {
            let runtime = runtime(&snapshot(dialect, localities, |_| {}));
            runtime.rebuild(Instant::now());
            match runtime.pick(&Entropy::seeded(1)) {
                Pick::Fail(error) => assert_eq!(error.kind(), ErrorKind::NoEndpoint),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn localities_share_by_weight_and_health() {
    let weighted = |localities: Vec<LocalityConfig>| {
        runtime(&snapshot(Dialect::Envoy, localities, |it| {
            it.lb.locality = LocalityMode::Weighted;
        }))
    };
    let a = |weight, healths: &[HealthStatus]| LocalityConfig {
        weight,
        ..of_health(healths)
    };
    let b = |weight| locality("b", 0, weight, &[(8, HEALTHY, 1), (9, HEALTHY, 1)]);
    // One to three, exactly.
    let counts = tally(&weighted(vec![a(Some(1), &[HEALTHY]), b(Some(3))]), 80);
    assert_eq!(counts, HashMap::from([(1, 20), (8, 30), (9, 30)]));
    // Half of the first unhealthy: 70 to 100.
    let counts = tally(
        &weighted(vec![a(Some(1), &[HEALTHY, UNHEALTHY]), b(Some(1))]),
        170,
    );
    assert_eq!(counts, HashMap::from([(1, 70), (8, 50), (9, 50)]));
    // A draining endpoint does not make its locality smaller.
    let counts = tally(
        &weighted(vec![a(Some(1), &[HEALTHY, DRAINING]), b(Some(1))]),
        20,
    );
    assert_eq!(counts, HashMap::from([(1, 10), (8, 5), (9, 5)]));
    // Degraded endpoints share what is theirs by weight as well: half of it all, 1 to 3.
    let both = |zone: &str, weight, first| {
        let specs = [
            (first, HEALTHY, 1),
            (first + 1, DEGRADED, 1),
            (first + 2, UNHEALTHY, 1),
        ];
        locality(zone, 0, Some(weight), &specs)
    };
    let counts = tally(&weighted(vec![both("a", 1, 1), both("b", 3, 4)]), 40_000);
    for (port, percents) in [(1, 13), (2, 13), (4, 38), (5, 38)] {
        assert!(
            percent(&counts, &[port]).abs_diff(percents) <= 2,
            "{counts:?}"
        );
    }
    // In panic, weights do not count.
    let counts = tally(
        &weighted(vec![
            a(Some(9), &[UNHEALTHY, UNHEALTHY]),
            locality("b", 0, Some(1), &[(9, UNHEALTHY, 1)]),
        ]),
        9,
    );
    assert_eq!(counts, HashMap::from([(1, 3), (2, 3), (9, 3)]));
    // Without a weight: nothing, unless none has one.
    let counts = tally(&weighted(vec![a(None, &[HEALTHY]), b(Some(1))]), 10);
    assert_eq!(counts, HashMap::from([(8, 5), (9, 5)]));
    let counts = tally(&weighted(vec![a(None, &[HEALTHY]), b(None)]), 9);
    assert_eq!(counts, HashMap::from([(1, 3), (8, 3), (9, 3)]));
}

#[test]
fn an_unsupported_policy_leaves_the_cluster_unavailable() {
    let runtime = runtime(&snapshot(Dialect::Envoy, [plain([1])], |it| {
        it.lb.policy = LbPolicyConfig::Unsupported("RING_HASH".into());
    }));
    match runtime.pick(&Entropy::seeded(1)) {
        Pick::Fail(error) => assert_eq!(
            error.to_string(),
            "load balancing policy RING_HASH is not supported (cluster shop)"
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_explanation_tells_it_all() {
    let now = Instant::now();
    let runtime = envoy([
        of_health(&[HEALTHY, UNHEALTHY]),
        locality("b", 1, None, &[(9, HEALTHY, 2)]),
    ]);
    pool(&runtime, 9).set_failed(now, 1 << 63, "refused");
    runtime.rebuild(now);
    let explanation = runtime.explain(now);
    assert_eq!(
        explanation.to_string(),
        "cluster shop: 0 of 100000 requests in flight
  70 % to priority 0: picked among 1 endpoint
  30 % to priority 1: fails: of 1 endpoint none can be reached
  priority 0, locality /a/, weight 1:
    127.0.0.1:1: Healthy, Idle, weight 1, 0 in flight, 0 succeeded, 0 failed
    127.0.0.1:2: Unhealthy, Idle, weight 1, 0 in flight, 0 succeeded, 0 failed
  priority 1, locality /b/, no weight:
    127.0.0.1:9: Healthy, Failed, weight 2, 0 in flight, 0 succeeded, 0 failed, tried again in 1.0 s, last error: refused
"
    );
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["shares"][1]["percent"], 30);
    assert_eq!(
        json["localities"][1]["endpoints"][0]["connectivity"],
        "Failed"
    );
}
