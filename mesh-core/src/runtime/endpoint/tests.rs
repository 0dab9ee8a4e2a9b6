use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::*;
use crate::{
    config::{EndpointConfig, Readiness},
    runtime::Registry,
};

fn endpoint() -> Arc<EndpointState> {
    let registry = Registry::default();
    let cluster = registry.cluster(&"shop".into());
    let address = Address::Socket(([127, 0, 0, 1], 1).into());
    registry.endpoint(&cluster, &EndpointConfig::new(address))
}

#[test]
fn every_real_change_is_reported_once() {
    let endpoint = endpoint();
    let report = endpoint.report();
    let changes = endpoint.cluster.subscribe();
    let now = Instant::now();
    type Step = fn(&ConnectivityReport, Instant);
    let steps: [(Step, u64, Connectivity); 10] = [
        (|it, now| it.set_idle(now), 0, Connectivity::Idle),
        (|it, _| it.set_connecting(), 1, Connectivity::Connecting),
        (|it, _| it.set_connecting(), 1, Connectivity::Connecting),
        (|it, _| it.set_ready(), 2, Connectivity::Ready),
        (
            |it, now| it.set_failed(now, 0, "reset"),
            3,
            Connectivity::Failed,
        ),
        (
            |it, now| it.set_failed(now, 0, "refused"),
            3,
            Connectivity::Failed,
        ),
        // A failure outlasts its pool's connections.
        (|it, now| it.set_idle(now), 3, Connectivity::Failed),
        (|it, _| it.set_connecting(), 4, Connectivity::Connecting),
        (|it, _| it.set_ready(), 5, Connectivity::Ready),
        (|it, now| it.set_idle(now), 6, Connectivity::Idle),
    ];
    for (number, (step, count, connectivity)) in steps.into_iter().enumerate() {
        step(&report, now);
        assert_eq!(*changes.borrow(), count, "step {number}");
        assert_eq!(endpoint.connectivity(), connectivity, "step {number}");
        let ready = u64::from(connectivity == Connectivity::Ready);
        assert_eq!(endpoint.cluster.ready_endpoints(), ready, "step {number}");
    }
    assert_eq!(endpoint.last_error().as_deref(), Some("refused"));
    drop(report);
    assert_eq!(*changes.borrow(), 6, "it had nothing");
}

#[test]
fn a_failed_endpoint_is_left_alone_until_its_back_off_is_over() {
    let endpoint = endpoint();
    let report = endpoint.report();
    let now = Instant::now();
    assert!(endpoint.may_connect(now));
    report.set_failed(now, 1 << 63, "refused");
    let over = now + Duration::from_secs(1);
    assert_eq!(endpoint.retry_at(), Some(over));
    assert!(!endpoint.may_connect(over - Duration::from_millis(1)));
    endpoint.recover(over - Duration::from_millis(1));
    assert_eq!(endpoint.connectivity(), Connectivity::Failed);
    assert!(endpoint.may_connect(over));
    endpoint.recover(over);
    assert_eq!(endpoint.connectivity(), Connectivity::Idle);
    assert_eq!(endpoint.retry_at(), None);
}

#[test]
fn a_failure_shadows_what_follows_until_the_endpoint_is_ready() {
    use Standing::{Failing, Probing, Usable, Waiting};
    let endpoint = endpoint();
    let report = endpoint.report();
    let now = Instant::now();
    let check = |connect_first, on_demand| {
        let reported = endpoint.reported();
        assert_eq!(reported.standing(Readiness::ConnectFirst), connect_first);
        assert_eq!(reported.standing(Readiness::OnDemand), on_demand);
    };
    check(Waiting, Usable);
    report.set_connecting();
    check(Waiting, Usable);
    report.set_failed(now, 0, "refused");
    check(Failing, Failing);
    endpoint.recover(now + Duration::from_secs(1));
    check(Failing, Usable);
    report.set_connecting();
    check(Failing, Probing);
    report.set_ready();
    check(Usable, Usable);
    report.set_idle(now);
    check(Waiting, Usable);
}

#[test]
fn what_one_pool_has_does_not_end_with_another() {
    let endpoint = endpoint();
    let now = Instant::now();
    let is = |connectivity| assert_eq!(endpoint.connectivity(), connectivity);
    let [first, second] = [endpoint.report(), endpoint.report()];
    first.set_connecting();
    second.set_connecting();
    first.set_idle(now);
    is(Connectivity::Connecting);
    first.set_ready();
    second.set_ready();
    first.set_idle(now);
    is(Connectivity::Ready);
    first.set_connecting();
    is(Connectivity::Ready);
    drop(second);
    is(Connectivity::Connecting);
    drop(first);
    is(Connectivity::Idle);
}

#[test]
fn a_connection_outweighs_the_failure_of_another_pool() {
    let endpoint = endpoint();
    let [first, second] = [endpoint.report(), endpoint.report()];
    let changes = endpoint.cluster.subscribe();
    let now = Instant::now();
    first.set_ready();
    second.set_failed(now, 1 << 63, "refused");
    assert_eq!(endpoint.connectivity(), Connectivity::Ready);
    assert!(!endpoint.reported().failing);
    assert_eq!(*changes.borrow(), 1);
    // Nobody dials for the second meanwhile, however often the first reports.
    first.set_ready();
    assert!(!endpoint.may_connect(now));
    assert_eq!(endpoint.retry_at(), None, "nothing to recover from");
    // It shows when the connection goes, if it is not over by then.
    first.set_idle(now + Duration::from_millis(999));
    assert_eq!(endpoint.connectivity(), Connectivity::Failed);
    endpoint.recover(now + Duration::from_secs(1));
    assert_eq!(endpoint.connectivity(), Connectivity::Idle);
    first.set_ready();
    second.set_failed(now, 1 << 63, "refused");
    first.set_idle(now + Duration::from_secs(1));
    assert_eq!(endpoint.connectivity(), Connectivity::Idle);
    assert!(!endpoint.reported().failing, "it did not fail since");
}

#[test]
fn a_failure_stays_when_the_pool_that_met_it_goes() {
    let endpoint = endpoint();
    let [first, second] = [endpoint.report(), endpoint.report()];
    let now = Instant::now();
    second.set_connecting();
    first.set_failed(now, 1 << 63, "refused");
    drop(first);
    assert_eq!(endpoint.connectivity(), Connectivity::Failed);
    // The other's attempt was under way, and is again what there is.
    endpoint.recover(now + Duration::from_secs(1));
    assert_eq!(endpoint.connectivity(), Connectivity::Connecting);
    second.set_ready();
    assert_eq!(endpoint.connectivity(), Connectivity::Ready);
    assert!(endpoint.may_connect(now));
}
