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
    let changes = endpoint.cluster.subscribe();
    let now = Instant::now();
    type Step = fn(&EndpointState, Instant);
    let steps: [(Step, u64, Connectivity); 9] = [
        (|it, _| it.set_idle(), 0, Connectivity::Idle),
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
        (|it, _| it.set_connecting(), 4, Connectivity::Connecting),
        (|it, _| it.set_ready(), 5, Connectivity::Ready),
        (|it, _| it.set_idle(), 6, Connectivity::Idle),
    ];
    for (number, (step, count, connectivity)) in steps.into_iter().enumerate() {
        step(&endpoint, now);
        assert_eq!(*changes.borrow(), count, "step {number}");
        assert_eq!(endpoint.connectivity(), connectivity, "step {number}");
    }
    assert_eq!(endpoint.last_error().as_deref(), Some("refused"));
}

#[test]
fn a_failed_endpoint_is_left_alone_until_its_back_off_is_over() {
    let endpoint = endpoint();
    let now = Instant::now();
    assert!(endpoint.may_connect(now));
    endpoint.set_failed(now, 1 << 63, "refused");
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
    let now = Instant::now();
    let check = |connect_first, on_demand| {
        let reported = endpoint.reported();
        assert_eq!(reported.standing(Readiness::ConnectFirst), connect_first);
        assert_eq!(reported.standing(Readiness::OnDemand), on_demand);
    };
    check(Waiting, Usable);
    endpoint.set_connecting();
    check(Waiting, Usable);
    endpoint.set_failed(now, 0, "refused");
    check(Failing, Failing);
    endpoint.recover(now + Duration::from_secs(1));
    check(Failing, Usable);
    endpoint.set_connecting();
    check(Failing, Probing);
    endpoint.set_ready();
    check(Usable, Usable);
    endpoint.set_idle();
    check(Waiting, Usable);
}
