//! A limit holds at every moment, and what was counted is given back.

use std::{sync::Arc, time::Instant};

use loom::thread;

use super::{model, runtime, snapshot};
use crate::{
    config::{Dialect, Limits},
    entropy::Entropy,
    runtime::{Limit, Outcome, Pick, Registry, limit::Gauge},
};

#[test]
fn a_gauge_never_exceeds_its_limit_and_returns_to_zero() {
    model("gauge", || {
        let gauge = Arc::new(Gauge::default());
        let use_it = |gauge: &Gauge| {
            if gauge.try_add(1) {
                assert_eq!(gauge.get(), 1, "nobody else is in");
                gauge.sub();
            }
        };
        let threads = [(); 2].map(|()| {
            let gauge = Arc::clone(&gauge);
            thread::spawn(move || use_it(&gauge))
        });
        use_it(&gauge);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(gauge.get(), 0);
        assert!(gauge.try_add(1), "a place that was given back is free");
    });
}

#[test]
fn permits_are_given_back_whoever_drops_them() {
    model("permits", || {
        let cluster = Registry::default().cluster(&"shop".into());
        let mut limits = Limits::of(Dialect::Grpc);
        (limits.max_connections, limits.max_retries) = (1, 1);
        let threads = [(); 2].map(|()| {
            let cluster = Arc::clone(&cluster);
            thread::spawn(move || {
                let retry = cluster.try_retry(&limits);
                let connection = cluster.try_connection(&limits);
                assert!(cluster.retries() <= 1 && cluster.connections() <= 1);
                (retry, connection)
            })
        });
        let held = threads.map(|thread| thread.join().unwrap());
        assert_eq!((cluster.retries(), cluster.connections()), (1, 1));
        let refused = [Limit::Retries, Limit::Connections].map(|limit| cluster.reached(limit));
        assert_eq!(refused, [1, 1], "whoever got none is counted");
        drop(held);
        assert_eq!((cluster.retries(), cluster.connections()), (0, 0));
    });
}

#[test]
fn requests_are_counted_once_each_and_given_back() {
    model("requests", || {
        let now = Instant::now();
        let snapshot = snapshot(&[1], |config| config.limits.max_requests = 1);
        let runtime = runtime(&snapshot, now);
        let endpoint = Arc::clone(runtime.rebuild(now).connect[0].state());
        let pool = endpoint.report();
        pool.set_ready();
        runtime.rebuild(now);
        let call = |outcome| {
            let runtime = Arc::clone(&runtime);
            move || match runtime.pick(&Entropy::seeded(1)) {
                Pick::Use(mut picked) => {
                    assert_eq!(picked.endpoint.state().in_flight(), 1);
                    assert_eq!(runtime.state().in_flight(), 1);
                    picked.guard.record(outcome);
                    true
                }
                Pick::Fail(_) => false,
                other => panic!("{other:?}"),
            }
        };
        let other = thread::spawn(call(Outcome::Failure));
        let mine = call(Outcome::Success)();
        let theirs = other.join().unwrap();
        assert!(mine || theirs, "one of two has room");
        let state = runtime.state();
        assert_eq!((state.in_flight(), endpoint.in_flight()), (0, 0));
        let ended = (endpoint.successes(), endpoint.failures());
        assert_eq!(ended, (u64::from(mine), u64::from(theirs)));
        let refused = state.reached(Limit::Requests);
        assert_eq!(refused, u64::from(!mine) + u64::from(!theirs));
    });
}
