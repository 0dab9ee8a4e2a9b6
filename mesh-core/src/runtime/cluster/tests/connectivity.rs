//! Which endpoints are picked, by the state of their connections.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn fail(runtime: &ClusterRuntime<Slot>, entropy: &Entropy) -> Error {
    match runtime.pick(entropy) {
        Pick::Fail(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn connect_first_picks_connected_endpoints_alone() {
    let now = Instant::now();
    let entropy = Entropy::seeded(1);
    let runtime = runtime(&snapshot(Dialect::Grpc, [plain([1, 2, 3])], |_| {}));
    let rebuilt = runtime.rebuild(now);
    assert_eq!(rebuilt.connect.len(), 3);
    for endpoint in rebuilt.connect {
        Pool(endpoint).set_connecting();
    }
    // Named again: whoever was connecting may be another mesh, and may have gone.
    assert_eq!(runtime.rebuild(now).connect.len(), 3);
    assert!(matches!(runtime.pick(&entropy), Pick::Queue));
    pool(&runtime, 2).set_ready();
    pool(&runtime, 3).set_ready();
    runtime.rebuild(now);
    pool(&runtime, 3).set_failed(now, u64::MAX, "reset");
    runtime.rebuild(now);
    assert_eq!(tally(&runtime, 5), HashMap::from([(2, 5)]));
    // A lost connection is made again, and a failed one once its back-off is over.
    pool(&runtime, 2).set_idle(now);
    pool(&runtime, 1).set_failed(now, 1 << 63, "refused");
    let rebuilt = runtime.rebuild(now);
    assert_eq!(
        rebuilt
            .connect
            .iter()
            .map(|it| it.state().key().to_string())
            .collect::<Vec<_>>(),
        ["127.0.0.1:2"]
    );
    let retry = now + Duration::from_secs(1);
    assert_eq!(rebuilt.wake, Some(retry));
    assert!(matches!(runtime.pick(&entropy), Pick::Queue));
    assert_eq!(runtime.rebuild(retry).connect.len(), 2);
}

#[test]
fn connect_first_fails_once_all_failed_and_until_one_is_ready() {
    let now = Instant::now();
    let entropy = Entropy::seeded(1);
    let runtime = runtime(&snapshot(Dialect::Grpc, [plain([1, 2])], |_| {}));
    pool(&runtime, 1).set_failed(now, 0, "refused");
    pool(&runtime, 2).set_failed(now + Duration::from_millis(1), 0, "unreachable");
    runtime.rebuild(now);
    let error = fail(&runtime, &entropy);
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(
        error.to_string(),
        "no endpoint can be reached (cluster shop, endpoint 127.0.0.1:2): unreachable"
    );
    // Trying again does not make requests wait.
    let later = now + Duration::from_secs(2);
    let rebuilt = runtime.rebuild(later);
    assert_eq!(rebuilt.connect.len(), 2);
    pool(&runtime, 1).set_connecting();
    runtime.rebuild(later);
    fail(&runtime, &entropy);
    pool(&runtime, 1).set_ready();
    runtime.rebuild(later);
    tally(&runtime, 1);
}

#[test]
fn on_demand_leaves_failed_endpoints_out_until_they_may_be_tried() {
    let now = Instant::now();
    let entropy = Entropy::seeded(1);
    let runtime = runtime(&snapshot(Dialect::Envoy, [plain([1, 2, 3])], |_| {}));
    assert!(
        runtime.rebuild(now).connect.is_empty(),
        "nothing is connected beforehand"
    );
    pool(&runtime, 1).set_failed(now, 1 << 63, "refused");
    // At once, before any rebuild.
    assert_eq!(
        tally(&runtime, 9).keys().copied().collect::<HashSet<_>>(),
        HashSet::from([2, 3])
    );
    let retry = now + Duration::from_secs(1);
    assert_eq!(runtime.rebuild(now).wake, Some(retry));
    assert_eq!(tally(&runtime, 10), HashMap::from([(2, 5), (3, 5)]));
    assert_eq!(runtime.rebuild(retry).wake, None);
    assert_eq!(tally(&runtime, 9), HashMap::from([(1, 3), (2, 3), (3, 3)]));
    // One request tries it; the others keep away until it is ready.
    pool(&runtime, 1).set_connecting();
    assert_eq!(tally(&runtime, 9).get(&1), None);
    runtime.rebuild(retry);
    assert_eq!(tally(&runtime, 10), HashMap::from([(2, 5), (3, 5)]));
    for port in [2, 3] {
        pool(&runtime, port).set_failed(retry, 0, "reset");
    }
    // Unless there is nothing better.
    assert_eq!(tally(&runtime, 3), HashMap::from([(1, 3)]));
    runtime.rebuild(retry);
    assert_eq!(tally(&runtime, 3), HashMap::from([(1, 3)]));
    pool(&runtime, 1).set_failed(retry, 0, "timed out");
    assert_eq!(fail(&runtime, &entropy).kind(), ErrorKind::Connect);
    runtime.rebuild(retry);
    assert_eq!(fail(&runtime, &entropy).kind(), ErrorKind::Connect);
}

#[test]
fn a_failed_endpoint_counts_as_healthy_all_the_same() {
    let now = Instant::now();
    let entropy = Entropy::seeded(1);
    let localities = [plain([1, 2]), locality("b", 1, Some(1), &[(3, HEALTHY, 1)])];
    let runtime = runtime(&snapshot(Dialect::Envoy, localities, |_| {}));
    for port in [1, 2] {
        pool(&runtime, port).set_failed(now, 0, "refused");
    }
    runtime.rebuild(now);
    // The second priority gets nothing: the control plane calls the first one healthy.
    assert_eq!(fail(&runtime, &entropy).kind(), ErrorKind::Connect);
}

#[test]
fn a_locality_that_failed_leaves_its_share_to_the_others() {
    let now = Instant::now();
    let localities = [
        locality("a", 0, Some(9), &[(1, HEALTHY, 1)]),
        locality("b", 0, Some(1), &[(2, HEALTHY, 1)]),
    ];
    let weighted = |it: &mut ClusterConfig| it.lb.locality = LocalityMode::Weighted;
    let runtime = runtime(&snapshot(Dialect::Envoy, localities, weighted));
    pool(&runtime, 1).set_failed(now, 0, "refused");
    assert_eq!(tally(&runtime, 10), HashMap::from([(2, 10)]));
    runtime.rebuild(now);
    assert_eq!(tally(&runtime, 10), HashMap::from([(2, 10)]));
}

#[test]
fn a_lower_priority_takes_over_when_the_higher_fails_or_takes_too_long() {
    let start = Instant::now();
    let entropy = Entropy::seeded(1);
    let localities = [plain([1]), locality("b", 1, Some(1), &[(2, HEALTHY, 1)])];
    let shop = snapshot(Dialect::Grpc, localities, |_| {});
    let runtime = ClusterRuntime::<Slot>::new(&shop, &Registry::default(), start);
    let names = |rebuilt: Rebuilt<Slot>| -> Vec<String> {
        rebuilt
            .connect
            .iter()
            .map(|it| it.state().key().to_string())
            .collect()
    };
    let first = runtime.rebuild(start);
    let deadline = start + Failover::GRPC_TIMEOUT;
    assert_eq!(first.wake, Some(deadline));
    assert_eq!(names(first), ["127.0.0.1:1"]);
    pool(&runtime, 1).set_connecting();
    let before = deadline - Duration::from_millis(1);
    assert_eq!(names(runtime.rebuild(before)), ["127.0.0.1:1"]);
    assert_eq!(
        names(runtime.rebuild(deadline)),
        ["127.0.0.1:1", "127.0.0.1:2"]
    );
    assert!(matches!(runtime.pick(&entropy), Pick::Queue));
    pool(&runtime, 2).set_ready();
    runtime.rebuild(deadline);
    assert_eq!(tally(&runtime, 3), HashMap::from([(2, 3)]));
    // The higher one recovers.
    pool(&runtime, 1).set_ready();
    runtime.rebuild(deadline);
    assert_eq!(tally(&runtime, 3), HashMap::from([(1, 3)]));
    // And fails: the lower one still has its connection.
    pool(&runtime, 1).set_failed(deadline, 0, "reset");
    runtime.rebuild(deadline);
    assert_eq!(tally(&runtime, 3), HashMap::from([(2, 3)]));
}

#[test]
fn only_healthy_endpoints_exist_for_grpc() {
    let specs = [
        (1, HEALTHY, 1),
        (2, HealthStatus::Degraded, 1),
        (3, HealthStatus::Unhealthy, 1),
        (4, HealthStatus::Draining, 1),
    ];
    let localities = [locality("a", 0, Some(1), &specs)];
    let runtime = runtime(&snapshot(Dialect::Grpc, localities, |_| {}));
    for port in 1..=4 {
        pool(&runtime, port).set_ready();
    }
    assert!(runtime.rebuild(Instant::now()).connect.is_empty());
    assert_eq!(tally(&runtime, 4), HashMap::from([(1, 4)]));
}

#[test]
fn grpc_draws_among_localities_with_a_ready_endpoint_by_weight() {
    let localities = [
        locality("a", 0, Some(3), &[(1, HEALTHY, 1)]),
        locality("b", 0, Some(1), &[(2, HEALTHY, 1)]),
        locality("c", 0, Some(100), &[(3, HEALTHY, 1)]),
        locality("d", 0, None, &[(4, HEALTHY, 1)]),
        locality("e", 0, Some(0), &[(5, HEALTHY, 1)]),
    ];
    let runtime = runtime(&snapshot(Dialect::Grpc, localities, |_| {}));
    for port in [1, 2, 4, 5] {
        pool(&runtime, port).set_ready();
    }
    runtime.rebuild(Instant::now());
    let counts = tally(&runtime, 4000);
    assert_eq!(
        counts.keys().copied().collect::<HashSet<_>>(),
        HashSet::from([1, 2])
    );
    assert!((2850..3150).contains(&counts[&1]), "{counts:?}");
}

#[test]
fn readiness_and_failover_are_apart() {
    let now = Instant::now();
    let localities = || [plain([1]), locality("b", 1, Some(1), &[(2, HEALTHY, 1)])];
    // Envoy's priorities over gRPC's readiness: whoever has load is connected beforehand.
    let spill = runtime(&snapshot(Dialect::Envoy, localities(), |it| {
        it.lb.readiness = Readiness::ConnectFirst;
    }));
    let rebuilt = spill.rebuild(now);
    assert_eq!(rebuilt.connect.len(), 1);
    assert!(matches!(spill.pick(&Entropy::seeded(1)), Pick::Queue));
    pool(&spill, 1).set_ready();
    spill.rebuild(now);
    assert_eq!(tally(&spill, 3), HashMap::from([(1, 3)]));
    // gRPC's priorities over lazy connections: idle is good enough, failed is not.
    let ready = runtime(&snapshot(Dialect::Grpc, localities(), |it| {
        it.lb.readiness = Readiness::OnDemand;
    }));
    assert!(ready.rebuild(now).connect.is_empty());
    assert_eq!(tally(&ready, 3), HashMap::from([(1, 3)]));
    pool(&ready, 1).set_failed(now, 1 << 63, "refused");
    let wake = ready.rebuild(now).wake;
    assert_eq!(wake, Some(now + Duration::from_secs(1)));
    assert_eq!(tally(&ready, 3), HashMap::from([(2, 3)]));
    // It may be tried again.
    ready.rebuild(now + Duration::from_secs(1));
    assert_eq!(tally(&ready, 1), HashMap::from([(1, 1)]));
}

#[test]
fn a_timeout_beyond_all_clocks_is_borne() {
    let localities = [plain([1]), locality("b", 1, Some(1), &[(2, HEALTHY, 1)])];
    let runtime = runtime(&snapshot(Dialect::Grpc, localities, |it| {
        it.lb.failover = Failover::Ready {
            timeout: Duration::MAX,
        };
    }));
    assert_eq!(runtime.rebuild(Instant::now()).connect.len(), 1);
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Connecting,
    Ready,
    Idle,
    Failed,
    Rebuild,
}

proptest! {
    /// Whatever happens, before a rebuild or after: what is picked has not failed as long as there
    /// is another, and with gRPC's readiness it is connected.
    #[test]
    fn a_failed_endpoint_is_never_picked_while_another_is_there(
        connect_first: bool,
        least_request: bool,
        weights in prop::collection::vec(1u32..5, 1..12),
        events in prop::collection::vec(
            (0usize..12, prop::sample::select(vec![
                Event::Connecting, Event::Ready, Event::Idle, Event::Failed, Event::Rebuild,
            ])),
            0..60,
        ),
        seed: u64,
    ) {
        let specs: Vec<Spec> = (1..).zip(&weights).map(|(port, weight)| (port, HEALTHY, *weight)).collect();
        let (dialect, readiness) = match connect_first {
            true => (Dialect::Grpc, Readiness::ConnectFirst),
            false => (Dialect::Envoy, Readiness::OnDemand),
        };
        let runtime = runtime(&snapshot(dialect, [locality("a", 0, Some(1), &specs)], |it| {
            it.lb.readiness = readiness;
            if least_request {
                it.lb.policy = LbPolicyConfig::LeastRequest {
                    choices: 2,
                    weights: crate::config::LeastRequestWeights::Schedule { bias: 1.0 },
                };
            }
        }));
        let states: Vec<_> = specs.iter().map(|it| state(&runtime, it.0)).collect();
        let pools: Vec<_> = specs.iter().map(|it| pool(&runtime, it.0)).collect();
        let entropy = Entropy::seeded(seed);
        let now = Instant::now();
        for (index, event) in events {
            let state = &pools[index % pools.len()];
            match event {
                Event::Connecting => state.set_connecting(),
                Event::Ready => state.set_ready(),
                Event::Idle => state.set_idle(now),
                Event::Failed => state.set_failed(now, 0, "refused"),
                Event::Rebuild => drop(runtime.rebuild(now)),
            }
            let connectivity = |wanted| states.iter().any(|it| it.connectivity() == wanted);
            match runtime.pick(&entropy) {
                Pick::Use(picked) => {
                    let seen = picked.endpoint.state().connectivity();
                    prop_assert_ne!(seen, Connectivity::Failed);
                    prop_assert!(!connect_first || seen == Connectivity::Ready);
                }
                Pick::Fail(error) => prop_assert_eq!(error.kind(), ErrorKind::Connect),
                Pick::Queue => prop_assert!(connect_first),
                Pick::Drop(_) => prop_assert!(false, "nothing is dropped"),
            }
            runtime.rebuild(now);
            let usable = match connect_first {
                true => connectivity(Connectivity::Ready),
                false => states.iter().any(|it| it.connectivity() != Connectivity::Failed),
            };
            prop_assert_eq!(usable, matches!(runtime.pick(&entropy), Pick::Use(_)));
        }
        prop_assert_eq!(runtime.state().in_flight(), 0);
    }
}
