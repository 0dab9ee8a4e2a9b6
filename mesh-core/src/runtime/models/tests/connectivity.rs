//! What is reported of endpoints reaches the picker, and those who wait for it.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
    time::{Duration, Instant},
};

use loom::thread;

use super::{model, runtime, snapshot};
use crate::{
    entropy::Entropy,
    runtime::{ClusterRuntime, Connectivity, ConnectivityReport, EndpointState, Pick},
};

fn pick(runtime: &ClusterRuntime<()>) -> &'static str {
    match runtime.pick(&Entropy::seeded(1)) {
        Pick::Use(_) => "use",
        Pick::Queue => "queue",
        Pick::Fail(_) => "fail",
        Pick::Drop(_) => "drop",
    }
}

/// Waits as a request does, but that it asks again and again instead of being woken.
fn wait(runtime: &ClusterRuntime<()>, seen: u64) {
    let mut changed = pin!(runtime.changed(seen));
    let mut cx = Context::from_waker(Waker::noop());
    while changed.as_mut().poll(&mut cx).is_pending() {
        thread::yield_now();
    }
}

fn one() -> (Arc<ClusterRuntime<()>>, Arc<EndpointState>, Instant) {
    let now = Instant::now();
    let runtime = runtime(&snapshot(&[1], |_| {}), now);
    let endpoint = Arc::clone(runtime.rebuild(now).connect[0].state());
    (runtime, endpoint, now)
}

#[test]
fn a_request_that_waits_gets_the_endpoint_that_becomes_ready() {
    model("waiting", || {
        let (runtime, endpoint, now) = one();
        let pool = endpoint.report();
        let driver = {
            let runtime = Arc::clone(&runtime);
            thread::spawn(move || {
                pool.set_ready();
                runtime.rebuild(now);
                pool
            })
        };
        loop {
            let seen = runtime.version();
            match pick(&runtime) {
                "use" => break,
                other => assert_eq!(other, "queue"),
            }
            wait(&runtime, seen);
        }
        drop(driver.join().unwrap());
    });
}

type Report = fn(&ConnectivityReport, Instant);

/// Reports of two connections of one pool, and a driver that rebuilds when told. In the end the
/// picker knows what was reported last.
fn reports(name: &str, first: Report, second: Report) {
    model(name, move || {
        let (runtime, endpoint, now) = one();
        let mut changes = runtime.state().subscribe();
        let pool = Arc::new(endpoint.report());
        let reporters = [first, second].map(|report| {
            let pool = Arc::clone(&pool);
            thread::spawn(move || report(&pool, now))
        });
        // The driver, at any moment.
        for _ in 0..2 {
            if changes.has_changed().unwrap() {
                changes.mark_unchanged();
                runtime.rebuild(now);
            }
        }
        for reporter in reporters {
            assert!(reporter.join().is_ok());
        }
        if changes.has_changed().unwrap() {
            runtime.rebuild(now);
        }
        let expected = match endpoint.connectivity() {
            Connectivity::Ready => "use",
            Connectivity::Failed => "fail",
            // One that has failed counts as failing until it is ready (gRFC A62).
            _ if endpoint.reported().failing => "fail",
            _ => "queue",
        };
        assert_eq!(pick(&runtime), expected, "{endpoint:?}");
    });
}

#[test]
fn a_success_and_a_failure_at_once_end_in_the_last() {
    reports(
        "ready, failed",
        |pool, _| {
            pool.set_connecting();
            pool.set_ready();
        },
        |pool, now| pool.set_failed(now, 0, "refused"),
    );
}

#[test]
fn a_connection_that_ends_while_another_is_made() {
    reports(
        "idle, ready",
        |pool, now| pool.set_idle(now),
        |pool, _| pool.set_ready(),
    );
}

#[test]
fn two_failures_at_once_are_one_outage() {
    model("failed twice", || {
        let (_runtime, endpoint, now) = one();
        let [one, other] = [endpoint.report(), endpoint.report()];
        let other = thread::spawn(move || other.set_failed(now, 1 << 63, "refused"));
        one.set_failed(now, 1 << 63, "refused");
        other.join().unwrap();
        let expected = now + Duration::from_secs(1);
        assert_eq!(endpoint.retry_at(), Some(expected), "the back-off of one");
        assert_eq!(endpoint.connectivity(), Connectivity::Failed);
    });
}

#[test]
fn recovery_takes_nothing_back_that_was_reported() {
    model("recovery", || {
        let (runtime, endpoint, now) = one();
        let pool = Arc::new(endpoint.report());
        pool.set_failed(now, 0, "refused");
        runtime.rebuild(now);
        let mut changes = runtime.state().subscribe();
        let reporter = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || pool.set_ready())
        };
        let later = now + Duration::from_secs(5);
        runtime.rebuild(later);
        assert!(endpoint.connectivity() != Connectivity::Failed);
        reporter.join().unwrap();
        assert_eq!(endpoint.connectivity(), Connectivity::Ready);
        if changes.has_changed().unwrap() {
            changes.mark_unchanged();
            runtime.rebuild(later);
        }
        assert_eq!(pick(&runtime), "use");
    });
}

#[test]
fn versions_grow_with_what_they_stand_for() {
    model("versions", || {
        let (runtime, endpoint, now) = one();
        let before = runtime.version();
        let pool = endpoint.report();
        pool.set_ready();
        let rebuilding = [(); 2].map(|()| {
            let runtime = Arc::clone(&runtime);
            thread::spawn(move || drop(runtime.rebuild(now)))
        });
        if runtime.version() > before {
            assert_eq!(pick(&runtime), "use", "the set of that version, or newer");
        }
        for thread in rebuilding {
            thread.join().unwrap();
        }
        assert_eq!(runtime.version(), before + 2);
        wait(&runtime, before);
    });
}

/// Two pools, each with something to report, and a third that reads. In the end the endpoint is what
/// both have left it to be, and the picker knows.
fn pools(name: &str, first: Report, second: Report, expected: Connectivity) {
    model(name, move || {
        let (runtime, endpoint, now) = one();
        let mut changes = runtime.state().subscribe();
        let kept = [first, second].map(|report| {
            let pool = endpoint.report();
            thread::spawn(move || {
                report(&pool, now);
                pool
            })
        });
        if changes.has_changed().unwrap() {
            changes.mark_unchanged();
            runtime.rebuild(now);
        }
        let kept = kept.map(|pool| pool.join().unwrap());
        assert_eq!(endpoint.connectivity(), expected, "{endpoint:?}");
        if changes.has_changed().unwrap() {
            runtime.rebuild(now);
        }
        let picked = match expected {
            Connectivity::Ready => "use",
            _ => "queue",
        };
        assert_eq!(pick(&runtime), picked, "{endpoint:?}");
        drop(kept);
        assert_eq!(endpoint.connectivity(), Connectivity::Idle);
    });
}

#[test]
fn a_pool_that_loses_its_connection_takes_no_other_s_away() {
    pools(
        "lost, ready",
        |pool, now| {
            pool.set_ready();
            pool.set_idle(now);
        },
        |pool, _| {
            pool.set_connecting();
            pool.set_ready();
        },
        Connectivity::Ready,
    );
}

#[test]
fn two_pools_that_lose_their_connections_leave_none() {
    let lose: Report = |pool, now| {
        pool.set_ready();
        pool.set_idle(now);
    };
    pools("lost twice", lose, lose, Connectivity::Idle);
}

#[test]
fn a_pool_that_goes_takes_its_own_part_alone() {
    model("gone, ready", || {
        let (_runtime, endpoint, _) = one();
        let [first, second] = [endpoint.report(), endpoint.report()];
        first.set_ready();
        let going = thread::spawn(move || drop(first));
        second.set_ready();
        assert_eq!(endpoint.connectivity(), Connectivity::Ready);
        going.join().unwrap();
        assert_eq!(endpoint.connectivity(), Connectivity::Ready);
        drop(second);
        assert_eq!(endpoint.connectivity(), Connectivity::Idle);
    });
}
