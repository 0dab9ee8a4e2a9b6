//! Clusters before their first request.

use super::*;

fn asleep(snapshot: &ClusterSnapshot, registry: &Registry) -> ClusterRuntime<Slot> {
    ClusterRuntime::new(snapshot, registry, Instant::now())
}

/// How many endpoints have live state.
fn live(runtime: &ClusterRuntime<Slot>) -> usize {
    runtime.state().endpoints_by_state().iter().sum()
}

#[test]
fn a_cluster_has_no_live_endpoints_before_it_is_asked_for() {
    let now = Instant::now();
    let runtime = asleep(
        &snapshot(Dialect::Envoy, [plain([1, 2])], |_| {}),
        &Registry::default(),
    );
    let rebuilt = runtime.rebuild(now);
    assert_eq!((rebuilt.wake, rebuilt.endpoints), (None, 0));
    // What is said of it is what would be said if it were awake, and does not wake it.
    let explained = runtime.explain(now);
    assert_eq!(live(&runtime), 0);
    // Nor does an update.
    let changed = snapshot(Dialect::Envoy, [plain([2, 3, 4])], |it| {
        it.limits.max_retries = 9;
    });
    runtime.update(&changed, now);
    assert_eq!(
        (live(&runtime), runtime.config().limits.max_retries),
        (0, 9)
    );
    runtime.update(&snapshot(Dialect::Envoy, [plain([1, 2])], |_| {}), now);

    let ports = tally(&runtime, 100);
    assert_eq!((ports[&1], ports[&2], live(&runtime)), (50, 50, 2));
    let told = |it: &crate::runtime::ClusterExplanation| serde_json::to_value(it).unwrap();
    let (before, mut after) = (told(&explained), told(&runtime.explain(now)));
    for endpoint in after["localities"][0]["endpoints"].as_array_mut().unwrap() {
        endpoint["successes"] = 0.into();
    }
    assert_eq!(before, after);
}

#[test]
fn what_waits_for_no_request_does_not_sleep() {
    let registry = Registry::default();
    let grpc = asleep(&snapshot(Dialect::Grpc, [plain([1, 2])], |_| {}), &registry);
    assert_eq!(live(&grpc), 2);
    drop(grpc);
    let timed = snapshot(Dialect::Envoy, [plain([1])], |it| {
        it.lb.failover = Failover::Ready {
            timeout: Failover::GRPC_TIMEOUT,
        };
    });
    let timed = asleep(&timed, &registry);
    assert_eq!(live(&timed), 1);
    drop(timed);
    // The first request would wait too long.
    let large = |count| snapshot(Dialect::Envoy, [plain(1..=count)], |_| {});
    let grown = asleep(&large(256), &registry);
    assert_eq!(live(&grown), 0);
    grown.update(&large(257), Instant::now());
    assert_eq!(live(&grown), 257);
}

#[test]
fn a_cluster_that_wakes_knows_what_other_meshes_know() {
    let registry = Registry::default();
    let shop = snapshot(Dialect::Envoy, [plain([1, 2])], |_| {});
    let (first, second) = (awake(&shop, &registry), asleep(&shop, &registry));
    let now = Instant::now();
    pool(&first, 1).set_failed(now, 0, "refused");
    let mut changes = second.state().subscribe();
    changes.mark_unchanged();
    assert_eq!(tally(&second, 10), HashMap::from([(2, 10)]));
    // Its driver is to set a timer for the one that failed.
    assert!(changes.has_changed().unwrap());
    assert_eq!(second.rebuild(now).wake, state(&first, 1).retry_at());
}

#[test]
fn an_awake_cluster_stays_awake() {
    let now = Instant::now();
    let shop = snapshot(Dialect::Envoy, [plain([1])], |_| {});
    let runtime = asleep(&shop, &Registry::default());
    tally(&runtime, 1);
    runtime.update(&snapshot(Dialect::Envoy, [plain([1, 2])], |_| {}), now);
    assert_eq!(live(&runtime), 2);
    let explained = runtime.explain(now);
    assert_eq!(explained.localities[0].endpoints[0].in_flight, 0);
}

#[test]
fn a_cluster_that_sleeps_drops_and_limits_once() {
    let runtime = asleep(
        &snapshot(Dialect::Envoy, [plain([1])], |it| {
            it.limits.max_requests = 1;
        }),
        &Registry::default(),
    );
    let entropy = Entropy::seeded(1);
    let Pick::Use(held) = runtime.pick(&entropy) else {
        panic!("no endpoint");
    };
    assert!(matches!(runtime.pick(&entropy), Pick::Fail(_)));
    drop(held);
    assert_eq!(runtime.state().in_flight(), 0);
}

#[test]
fn threads_that_wake_a_cluster_at_once_wake_it_once() {
    let shop = snapshot(Dialect::Envoy, [plain(1..=50)], |_| {});
    let runtime = asleep(&shop, &Registry::default());
    let endpoints: Vec<_> = std::thread::scope(|scope| {
        let pick = || match runtime.pick(&Entropy::system()) {
            Pick::Use(picked) => picked,
            other => panic!("{other:?}"),
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(pick)).collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    for picked in &endpoints {
        let same = pool(&runtime, port(picked)).0;
        assert!(Arc::ptr_eq(&same, &picked.endpoint));
    }
}
