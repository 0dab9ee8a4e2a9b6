//! What updates keep and what they replace.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, AtomicUsize},
    thread,
};

use proptest::prelude::*;

use super::*;
use crate::config::{Http2Config, Protocol};

#[test]
fn endpoints_that_stay_keep_state_and_slot() {
    let now = Instant::now();
    let runtime = runtime(&snapshot(Dialect::Envoy, [plain([1, 2])], |_| {}));
    let entropy = Entropy::seeded(1);
    let slots = |count| {
        let mut slots = HashMap::new();
        for _ in 0..count {
            let Pick::Use(picked) = runtime.pick(&entropy) else {
                panic!("nothing picked");
            };
            let slot = *picked.endpoint.slot(|| port(&picked) * 10);
            slots.insert(port(&picked), (slot, Arc::clone(picked.endpoint.state())));
        }
        slots
    };
    let before = slots(2);
    // Another locality, weight and health, and a new neighbour; 1 goes.
    let moved = locality("b", 1, Some(2), &[(2, HEALTHY, 7), (3, HEALTHY, 7)]);
    let changed = snapshot(Dialect::Envoy, [moved], |it| it.limits.max_retries = 9);
    runtime.update(&changed, now);
    assert_eq!(runtime.config().limits.max_retries, 9);
    let after = slots(2);
    assert_eq!(
        after.keys().copied().collect::<HashSet<_>>(),
        HashSet::from([2, 3])
    );
    assert_eq!(after[&2].0, 20);
    assert!(Arc::ptr_eq(&after[&2].1, &before[&2].1));
}

#[test]
fn another_identity_makes_new_slots_and_new_states() {
    let now = Instant::now();
    let registry = Registry::default();
    let shop = snapshot(Dialect::Grpc, [plain([1])], |_| {});
    let runtime = ClusterRuntime::<u16>::new(&shop, &registry, now);
    let old = state(&runtime, 1);
    old.set_ready();
    runtime.read(|_, layout, _| assert_eq!(*layout.endpoints[0].slot(|| 1), 1));
    let other = snapshot(Dialect::Grpc, [plain([1])], |it| {
        it.protocol = Protocol::Http2(Http2Config {
            max_concurrent_streams: 7,
            ..Http2Config::default()
        });
    });
    runtime.update(&other, now);
    // What the old connections report says nothing about the new ones.
    assert_eq!(state(&runtime, 1).connectivity(), Connectivity::Idle);
    runtime.read(|_, layout, _| assert_eq!(*layout.endpoints[0].slot(|| 2), 2));
    // Two meshes with the same identity share one state.
    let second = ClusterRuntime::<u16>::new(&other, &registry, now);
    assert!(Arc::ptr_eq(&state(&runtime, 1), &state(&second, 1)));
    assert!(!Arc::ptr_eq(&state(&runtime, 1), &old));
    let weak = Arc::downgrade(&old);
    drop(old);
    assert!(weak.upgrade().is_none(), "the old state is kept by nobody");
    assert_eq!(runtime.state().endpoints.len(), 1);
    let cluster = Arc::clone(runtime.state());
    drop((runtime, second));
    assert_eq!(cluster.endpoints.len(), 0);
}

#[test]
fn an_address_given_twice_is_one_endpoint() {
    let localities = [
        plain([1, 1, 2]),
        locality("b", 1, Some(1), &[(2, HEALTHY, 1)]),
    ];
    let runtime = runtime(&snapshot(Dialect::Envoy, localities, |_| {}));
    assert_eq!(tally(&runtime, 10), HashMap::from([(1, 5), (2, 5)]));
}

#[test]
fn a_rebuild_without_news_keeps_the_rotation() {
    let runtime = runtime(&snapshot(Dialect::Envoy, [plain(1..=5)], |_| {}));
    let mut seen = HashSet::new();
    for _ in 0..5 {
        seen.extend(tally(&runtime, 1).into_keys());
        state(&runtime, 1).set_connecting();
        state(&runtime, 1).set_ready();
        runtime.rebuild(Instant::now());
    }
    assert_eq!(seen.len(), 5, "each once: {seen:?}");
}

#[test]
fn ten_thousand_endpoints_are_rebuilt() {
    let now = Instant::now();
    let runtime = runtime(&snapshot(Dialect::Grpc, [plain(1..=10_000)], |_| {}));
    let rebuilt = runtime.rebuild(now);
    assert_eq!(rebuilt.connect.len(), 10_000);
    for endpoint in &rebuilt.connect[..9_999] {
        endpoint.state().set_ready();
    }
    drop(rebuilt);
    assert_eq!(runtime.rebuild(now).connect.len(), 1);
    let counts = tally(&runtime, 9_999);
    assert_eq!(counts.len(), 9_999);
    runtime.update(
        &snapshot(Dialect::Grpc, [plain(5_000..=15_000)], |_| {}),
        now,
    );
    assert_eq!(runtime.rebuild(now).connect.len(), 5_001);
    assert_eq!(runtime.state().endpoints.len(), 10_001);
}

#[tokio::test]
async fn whoever_waits_is_woken() {
    let now = Instant::now();
    let runtime = runtime(&snapshot(Dialect::Grpc, [plain([1])], |_| {}));
    let entropy = Entropy::seeded(1);
    let seen = runtime.version();
    assert!(matches!(runtime.pick(&entropy), Pick::Queue));
    let (picked, ()) = tokio::join!(
        async {
            runtime.changed(seen).await;
            runtime.pick(&entropy)
        },
        async {
            state(&runtime, 1).set_ready();
            runtime.rebuild(now);
        }
    );
    assert!(matches!(picked, Pick::Use(_)));
    // News that came before the wait are not missed.
    runtime.changed(seen).await;
}

#[test]
fn threads_pick_while_another_rebuilds() {
    let now = Instant::now();
    let wide = snapshot(Dialect::Envoy, [plain(1..=20)], |_| {});
    let narrow = snapshot(Dialect::Envoy, [plain(1..=10)], |_| {});
    let runtime = runtime(&wide);
    let (done, picked) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for seed in 0..3 {
            let (runtime, done, picked) = (&runtime, &done, &picked);
            scope.spawn(move || {
                let entropy = Entropy::seeded(seed);
                while !done.load(Ordering::Relaxed) {
                    match runtime.pick(&entropy) {
                        Pick::Use(_) => picked.fetch_add(1, Ordering::Relaxed),
                        other => panic!("{other:?}"),
                    };
                }
            });
        }
        for round in 0..200u64 {
            let flapping = state(&runtime, 1);
            match round % 4 {
                0 => runtime.update(&narrow, now),
                1 => flapping.set_failed(now, round, "refused"),
                2 => runtime.update(&wide, now),
                _ => flapping.set_ready(),
            }
            runtime.rebuild(now);
            thread::yield_now();
        }
        // Every round saw picks, or the last one waits for some.
        while picked.load(Ordering::Relaxed) < 1000 {
            thread::yield_now();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(runtime.state().in_flight(), 0);
    let explanation = runtime.explain(now);
    let endpoints = explanation.localities.iter().flat_map(|it| &it.endpoints);
    assert!(endpoints.into_iter().all(|it| it.in_flight == 0));
}

proptest! {
    #[test]
    fn any_update_keeps_what_stays_and_nothing_else(
        before in prop::collection::hash_set(1u16..40, 0..30),
        after in prop::collection::hash_set(1u16..40, 0..30),
    ) {
        let now = Instant::now();
        let runtime = runtime(&snapshot(Dialect::Envoy, [plain(before.iter().copied())], |_| {}));
        let old: HashMap<u16, _> = before.iter().map(|it| (*it, state(&runtime, *it))).collect();
        runtime.read(|_, layout, _| {
            for endpoint in &layout.endpoints {
                endpoint.slot(|| 1);
            }
        });
        let weak: Vec<_> = old.iter().map(|(port, it)| (*port, Arc::downgrade(it))).collect();
        runtime.update(&snapshot(Dialect::Envoy, [plain(after.iter().copied())], |_| {}), now);
        for port in &after {
            let new = state(&runtime, *port);
            prop_assert_eq!(old.get(port).is_some_and(|it| Arc::ptr_eq(it, &new)), before.contains(port));
        }
        runtime.read(|_, layout, _| {
            for endpoint in &layout.endpoints {
                let Address::Socket(address) = endpoint.state().address() else { continue };
                let kept = *endpoint.slot(|| 2) == 1;
                assert_eq!(kept, before.contains(&address.port()));
            }
        });
        drop(old);
        for (port, weak) in weak {
            prop_assert_eq!(weak.strong_count() > 0, after.contains(&port));
        }
    }
}
