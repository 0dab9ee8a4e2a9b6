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
            let slot = picked.endpoint.slot(|| Slot::of(port(&picked) * 10)).number;
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
    let runtime = ClusterRuntime::<Slot>::new(&shop, &registry, now);
    runtime.read(|_, layout, _| assert_eq!(layout.endpoints[0].slot(|| Slot::of(1)).number, 1));
    pool(&runtime, 1).set_ready();
    let old = state(&runtime, 1);
    let other = snapshot(Dialect::Grpc, [plain([1])], |it| {
        it.protocol = Protocol::Http2(Http2Config {
            max_concurrent_streams: 7,
            ..Http2Config::default()
        });
    });
    runtime.update(&other, now);
    // What the old connections report says nothing about the new ones.
    assert_eq!(state(&runtime, 1).connectivity(), Connectivity::Idle);
    runtime.read(|_, layout, _| assert_eq!(layout.endpoints[0].slot(|| Slot::of(2)).number, 2));
    // Two meshes with the same identity share one state.
    let second = ClusterRuntime::<Slot>::new(&other, &registry, now);
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
fn load_is_not_forgotten() {
    let now = Instant::now();
    let least = |it: &mut ClusterConfig| {
        it.lb.policy = LbPolicyConfig::LeastRequest {
            choices: 10,
            weights: crate::config::LeastRequestWeights::Ignore,
        };
    };
    let runtime = runtime(&snapshot(Dialect::Envoy, [plain([1])], least));
    let entropy = Entropy::seeded(1);
    let busy: Vec<_> = (0..5).map(|_| runtime.pick(&entropy)).collect();
    runtime.update(&snapshot(Dialect::Envoy, [plain([1, 2])], least), now);
    let counts = tally(&runtime, 1000);
    assert!(counts.get(&1).is_none_or(|it| *it < 10), "{counts:?}");
    // An endpoint that was taken out still counts what it carries until that ends.
    let gone = state(&runtime, 1);
    runtime.update(&snapshot(Dialect::Envoy, [plain([2])], least), now);
    assert_eq!((gone.in_flight(), runtime.state().in_flight()), (5, 5));
    drop(busy);
    assert_eq!((gone.in_flight(), runtime.state().in_flight()), (0, 0));
}

#[test]
fn a_locality_that_changes_priority_serves_on() {
    let now = Instant::now();
    let before = [plain([1]), locality("b", 1, Some(1), &[(2, HEALTHY, 1)])];
    let runtime = runtime(&snapshot(Dialect::Grpc, before, |_| {}));
    pool(&runtime, 1).set_failed(now, 0, "refused");
    pool(&runtime, 2).set_ready();
    runtime.rebuild(now);
    assert_eq!(tally(&runtime, 2), HashMap::from([(2, 2)]));
    let after = [
        locality("b", 0, Some(1), &[(2, HEALTHY, 1)]),
        locality("a", 1, Some(1), &[(1, HEALTHY, 1)]),
    ];
    runtime.update(&snapshot(Dialect::Grpc, after, |_| {}), now);
    assert_eq!(tally(&runtime, 2), HashMap::from([(2, 2)]));
}

#[test]
fn new_endpoints_in_a_failed_priority_get_their_time() {
    let now = Instant::now();
    let second = || locality("b", 1, Some(1), &[(2, HEALTHY, 1)]);
    let runtime = runtime(&snapshot(Dialect::Grpc, [plain([1]), second()], |_| {}));
    pool(&runtime, 1).set_failed(now, 0, "refused");
    pool(&runtime, 2).set_ready();
    runtime.rebuild(now);
    let elsewhere = locality("c", 0, Some(1), &[(3, HEALTHY, 1)]);
    runtime.update(&snapshot(Dialect::Grpc, [elsewhere, second()], |_| {}), now);
    let rebuilt = runtime.rebuild(now);
    assert_eq!(rebuilt.wake, Some(now + Failover::GRPC_TIMEOUT));
    assert!(matches!(runtime.pick(&Entropy::seeded(1)), Pick::Queue));
    runtime.rebuild(now + Failover::GRPC_TIMEOUT);
    assert_eq!(tally(&runtime, 2), HashMap::from([(2, 2)]));
}

#[test]
fn policy_alone_can_change() {
    let now = Instant::now();
    let mut shop = snapshot(Dialect::Envoy, [plain([1])], |_| {});
    let runtime = runtime(&shop);
    let before = state(&runtime, 1);
    Arc::make_mut(&mut shop.config).limits.max_requests = 0;
    runtime.update(&shop, now);
    assert!(Arc::ptr_eq(&before, &state(&runtime, 1)));
    assert!(matches!(runtime.pick(&Entropy::seeded(1)), Pick::Fail(_)));
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
        pool(&runtime, 1).set_connecting();
        pool(&runtime, 1).set_ready();
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
        Pool(Arc::clone(endpoint)).set_ready();
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
            pool(&runtime, 1).set_ready();
            runtime.rebuild(now);
        }
    );
    assert!(matches!(picked, Pick::Use(_)));
    // News that came before the wait are not missed.
    runtime.changed(seen).await;
}

#[test]
fn a_rebuild_wakes_even_if_all_is_as_before() {
    let now = Instant::now();
    let runtime = runtime(&snapshot(Dialect::Grpc, [plain([1])], |_| {}));
    pool(&runtime, 1).set_ready();
    runtime.rebuild(now);
    // Lost and made again between two rebuilds: whoever picked in between must not wait for ever.
    pool(&runtime, 1).set_idle(now);
    let seen = runtime.version();
    assert!(matches!(runtime.pick(&Entropy::seeded(1)), Pick::Queue));
    pool(&runtime, 1).set_ready();
    runtime.rebuild(now);
    assert_ne!(runtime.version(), seen);
}

#[test]
fn turns_are_exact_whoever_takes_them() {
    let specs = [(1, HEALTHY, 1), (2, HEALTHY, 2), (3, HEALTHY, 5)];
    let runtime = runtime(&snapshot(
        Dialect::Envoy,
        [locality("a", 0, None, &specs)],
        |_| {},
    ));
    let counts = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| tally(&runtime, 2000)))
            .collect();
        let mut all = HashMap::new();
        for thread in threads {
            for (port, count) in thread.join().unwrap() {
                *all.entry(port).or_insert(0) += count;
            }
        }
        all
    });
    assert_eq!(counts, HashMap::from([(1, 1000), (2, 2000), (3, 5000)]));
    assert_eq!(runtime.state().in_flight(), 0);
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
            let flapping = pool(&runtime, 1);
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

/// Configurations one after another, each made of the one before, held against a map by address.
#[test]
fn many_updates_in_any_order_keep_what_a_map_would() {
    let (now, seed) = (Instant::now(), 0x0001_a707);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut localities = vec![plain(1..=8)];
    let mut streams = 1;
    let shop = |localities: &[LocalityConfig], streams| {
        snapshot(Dialect::Envoy, localities, |it| {
            it.protocol = Protocol::Http2(Http2Config {
                max_concurrent_streams: streams,
                ..Http2Config::default()
            });
        })
    };
    let runtime = runtime(&shop(&localities, streams));
    let mut before = HashMap::<Address, Arc<Endpoint<Slot>>>::new();
    for round in 0..2_000 {
        let place = format!("seed {seed}, round {round}");
        let same_identity = random.u8(0..20) > 0;
        streams += u32::from(!same_identity);
        for _ in 0..random.usize(1..4) {
            disturb(&mut localities, &mut random);
        }
        runtime.update(&shop(&localities, streams), now);
        let listed = localities
            .iter()
            .flat_map(|it| it.endpoints.iter().map(|end| (&it.id, end)));
        let mut seen = HashSet::new();
        let wanted: Vec<_> = listed.filter(|(_, it)| seen.insert(&it.address)).collect();
        let endpoints = runtime.read(|_, layout, _| layout.endpoints.clone());
        assert_eq!(endpoints.len(), wanted.len(), "{place}");
        for (endpoint, (id, config)) in endpoints.iter().zip(&wanted) {
            assert_eq!(
                (endpoint.locality(), endpoint.config()),
                (*id, *config),
                "{place}"
            );
            assert_eq!(*endpoint.state().address(), config.address, "{place}");
            let known = before.get(&config.address);
            let kept = known.is_some_and(|it| Arc::ptr_eq(it.state(), endpoint.state()));
            assert_eq!(
                kept,
                known.is_some() && same_identity,
                "{place}: {}",
                config.address
            );
            let number = endpoint.slot(|| Slot::of(round)).number;
            let old = known.filter(|_| same_identity);
            assert_eq!(
                number,
                old.map_or(round, |it| it.slot(Slot::default).number),
                "{place}"
            );
            let unchanged = old.filter(|it| it.config() == *config && it.locality() == *id);
            let same = known.is_some_and(|it| Arc::ptr_eq(it, endpoint));
            assert_eq!(same, unchanged.is_some(), "{place}: {}", config.address);
        }
        groups_hold(&runtime, &localities, &place);
        let keyed = endpoints
            .into_iter()
            .map(|it| (it.config().address.clone(), it));
        before = keyed.collect();
        assert_eq!(runtime.state().endpoints.len(), before.len(), "{place}");
    }
}

/// Whether the groups are those of `localities`, by priority, and have each endpoint once, in the
/// group where its address stands first.
fn groups_hold(runtime: &ClusterRuntime<Slot>, localities: &[LocalityConfig], place: &str) {
    let mut seen = HashSet::new();
    let first = |it: &LocalityConfig| {
        let addresses = it.endpoints.iter().map(|it| it.address.clone());
        let first = addresses.filter(|it| seen.insert(it.clone()));
        (
            it.priority,
            it.id.clone(),
            it.weight,
            first.collect::<Vec<_>>(),
        )
    };
    let mut wanted: Vec<_> = localities.iter().map(first).collect();
    wanted.sort_by_key(|it| it.0);
    runtime.read(|_, layout, _| {
        let mut found = Vec::new();
        for priority in &layout.priorities {
            for group in &priority.localities {
                let members = group.members.iter();
                let address = |it: &u32| layout.endpoints[*it as usize].config().address.clone();
                let addresses = members.map(address).collect();
                let id = Locality::clone(&group.id);
                found.push((priority.number, id, group.weight, addresses));
            }
        }
        assert_eq!(found, wanted, "{place}");
    });
}

/// Changes something, as a control plane may.
fn disturb(localities: &mut Vec<LocalityConfig>, random: &mut fastrand::Rng) {
    let zones = ["a", "b", "c"];
    if localities.is_empty() || random.u8(0..10) == 0 {
        localities.push(locality(
            random.choice(zones).unwrap_or("a"),
            random.u32(0..3),
            Some(1),
            &[],
        ));
    }
    let other = random.usize(0..localities.len());
    let end = random.usize(0..localities.len());
    let (ends, at) = {
        let ends = &mut localities[end].endpoints;
        let at = random.usize(0..=ends.len());
        (ends, at)
    };
    match random.u8(0..12) {
        0..=3 => {
            let address = match random.u16(1..40) {
                port @ 1..30 => Address::Socket(([127, 0, 0, 1], port).into()),
                number => Address::Unix(format!("/run/{number}").into()),
            };
            ends.insert(at, EndpointConfig::new(address));
        }
        4 | 5 if at < ends.len() => drop(ends.remove(at)),
        6 => ends.rotate_left(at),
        7 => random.shuffle(ends),
        8 => ends.drain(..at).for_each(drop),
        9 if at < ends.len() => ends[at].weight = random.u32(1..4),
        // One moves to another locality.
        10 if at < ends.len() => {
            let moved = ends.remove(at);
            localities[other].endpoints.push(moved);
        }
        _ => match random.u8(0..4) {
            0 => localities.swap(end, other),
            1 => localities[end].priority = random.u32(0..3),
            2 => localities[end].id.sub_zone = random.choice(zones).unwrap_or("a").into(),
            _ => drop(localities.remove(end)),
        },
    }
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
                endpoint.slot(|| Slot::of(1));
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
                let kept = endpoint.slot(|| Slot::of(2)).number == 1;
                assert_eq!(kept, before.contains(&address.port()));
            }
        });
        drop(old);
        for (port, weak) in weak {
            prop_assert_eq!(weak.strong_count() > 0, after.contains(&port));
        }
    }
}
