//! Drops, limits, counts.

use super::*;
use crate::{
    config::{DropOverload, Fraction, Limits, RetryBudget},
    runtime::Outcome,
};

#[test]
fn max_requests_holds_and_slots_come_back() {
    let shop = snapshot(Dialect::Envoy, [plain([1])], |it| {
        it.limits.max_requests = 2;
    });
    let runtime = runtime(&shop);
    let entropy = Entropy::seeded(1);
    let take = || match runtime.pick(&entropy) {
        Pick::Use(picked) => Ok(picked),
        Pick::Fail(error) => Err(error),
        other => panic!("{other:?}"),
    };
    let (mut first, second) = (take().unwrap(), take().unwrap());
    assert_eq!(runtime.state().in_flight(), 2);
    assert_eq!(first.endpoint.state().in_flight(), 2);
    let error = take().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert_eq!(
        error.to_string(),
        "too many requests are under way: max_requests is reached (cluster shop)"
    );
    first.guard.record(Outcome::Success);
    drop((first, second));
    let mut third = take().unwrap();
    third.guard.record(Outcome::Failure);
    let endpoint = Arc::clone(third.endpoint.state());
    drop(third);
    assert_eq!(runtime.state().in_flight(), 0);
    assert_eq!(endpoint.in_flight(), 0);
    assert_eq!((endpoint.successes(), endpoint.failures()), (1, 1));
}

#[test]
fn a_pick_that_fails_or_waits_gives_its_slot_back() {
    let entropy = Entropy::seeded(1);
    let waiting = runtime(&snapshot(Dialect::Grpc, [plain([1])], |_| {}));
    assert!(matches!(waiting.pick(&entropy), Pick::Queue));
    let empty = runtime(&snapshot(Dialect::Grpc, [], |_| {}));
    assert!(matches!(empty.pick(&entropy), Pick::Fail(_)));
    // The picker finds out only at the pick.
    let lost = runtime(&snapshot(Dialect::Grpc, [plain([1])], |_| {}));
    pool(&lost, 1).set_ready();
    lost.rebuild(Instant::now());
    pool(&lost, 1).set_idle(Instant::now());
    assert!(matches!(lost.pick(&entropy), Pick::Queue));
    let failed = runtime(&snapshot(Dialect::Envoy, [plain([1])], |_| {}));
    pool(&failed, 1).set_failed(Instant::now(), 0, "refused");
    assert!(matches!(failed.pick(&entropy), Pick::Fail(_)));
    for it in [waiting, empty, lost, failed] {
        assert_eq!(it.state().in_flight(), 0);
    }
}

#[test]
fn each_drop_category_draws_for_itself_in_order() {
    let mut shop = snapshot(Dialect::Envoy, [plain([1])], |_| {});
    let drop = |category: &str, percent| DropOverload {
        category: category.into(),
        fraction: Fraction::new(percent, 100),
    };
    Arc::make_mut(&mut shop.endpoints).drops = vec![drop("lb", 20), drop("throttle", 50)];
    let runtime = runtime(&shop);
    let entropy = Entropy::seeded(5);
    let mut dropped = HashMap::<Arc<str>, u32>::new();
    for _ in 0..10_000 {
        if let Pick::Drop(share) = runtime.pick(&entropy) {
            *dropped.entry(share.category).or_default() += 1;
        }
    }
    // 20 %, then 50 % of what is left.
    assert!((1900..2100).contains(&dropped["lb"]), "{dropped:?}");
    assert!((3850..4150).contains(&dropped["throttle"]), "{dropped:?}");
}

#[test]
fn a_request_that_waits_is_not_dropped() {
    let mut shop = snapshot(Dialect::Grpc, [plain([1])], |_| {});
    Arc::make_mut(&mut shop.endpoints).drops = vec![DropOverload {
        category: "all".into(),
        fraction: Fraction::ONE,
    }];
    let runtime = runtime(&shop);
    assert!(matches!(runtime.pick(&Entropy::seeded(1)), Pick::Queue));
    pool(&runtime, 1).set_ready();
    runtime.rebuild(Instant::now());
    assert!(matches!(runtime.pick(&Entropy::seeded(1)), Pick::Drop(_)));
}

#[test]
fn permits_count_until_dropped() {
    let registry = Registry::default();
    let cluster = registry.cluster(&"shop".into());
    let limits = Limits {
        max_connections: 1,
        max_pending_requests: 1,
        max_retries: 1,
        ..Limits::default()
    };
    for _ in 0..3 {
        let connection = cluster.try_connection(&limits).unwrap();
        assert!(cluster.try_connection(&limits).is_none());
        let over = cluster.first_connection();
        assert_eq!(cluster.connections(), 2);
        let pending = cluster.try_pending(&limits).unwrap();
        assert!(cluster.try_pending(&limits).is_none());
        let retry = cluster.try_retry(&limits).unwrap();
        assert!(cluster.try_retry(&limits).is_none());
        drop((connection, over, pending, retry));
        let counts = (cluster.connections(), cluster.pending(), cluster.retries());
        assert_eq!(counts, (0, 0, 0));
    }
}

#[test]
fn a_retry_budget_follows_what_is_in_flight() {
    let shop = snapshot(Dialect::Envoy, [plain([1])], |it| {
        it.limits.max_retries = 0;
        it.limits.retry_budget = Some(RetryBudget {
            share: Fraction::new(20, 100),
            min_concurrency: 1,
        });
    });
    let runtime = runtime(&shop);
    let entropy = Entropy::seeded(1);
    let limits = runtime.config().limits;
    let retries = || {
        let permits: Vec<_> = std::iter::from_fn(|| runtime.state().try_retry(&limits)).collect();
        permits.len()
    };
    assert_eq!(retries(), 1);
    let picks: Vec<_> = (0..20).map(|_| runtime.pick(&entropy)).collect();
    assert_eq!(retries(), 4);
    drop(picks);
    assert_eq!(retries(), 1);
}
