use mesh_core::{
    ErrorKind,
    config::{BackoffConfig, RetryConditions, RetryPolicy},
};
use mesh_testkit::echo::Behaviour;
use mesh_tower::{
    HttpClient,
    body::RequestBody,
    layers::{BalanceLayer, RetryLayer},
};
use tower_layer::Layer;

use super::{Hyper, assert_order, call, order, report, server};
use crate::support::{PROTOCOLS, alone};

#[tokio::test(start_paused = true)]
async fn requests_take_turns_and_arrive_as_they_were_sent() {
    let servers = ["a", "b", "c"].map(server);
    let inner = servers.iter().map(Hyper::to).collect::<Vec<_>>();
    let service = BalanceLayer::round_robin().layer(inner);
    for _ in 0..30 {
        // Clones share the turns.
        let answer = call(&mut service.clone(), order().map(RequestBody::boxed)).await;
        assert_order(&report(answer.unwrap()).await);
    }
    assert_eq!(servers.map(|it| it.count()), [10, 10, 10]);
}

#[tokio::test(start_paused = true)]
async fn around_clients_of_the_mesh_too() {
    for protocol in PROTOCOLS {
        let [(a, to_a), (b, to_b)] = [(); 2].map(|()| alone(protocol, |_| {}));
        let mut service = BalanceLayer::random().layer(vec![to_a, to_b]);
        for _ in 0..64 {
            assert_order(&report(call(&mut service, order()).await.unwrap()).await);
        }
        // Fails by chance once in 2^63 runs.
        assert!(a.count() > 0 && b.count() > 0);
        assert_eq!(a.count() + b.count(), 64);
    }
}

/// A request counts until its body has been read: with one held back, most others go elsewhere.
#[tokio::test(start_paused = true)]
async fn least_request_avoids_the_busy_one() {
    for protocol in PROTOCOLS {
        let [(a, to_a), (b, to_b)] = [(); 2].map(|()| alone(protocol, |_| {}));
        let mut service = BalanceLayer::least_request().layer(vec![to_a, to_b]);
        let held = call(&mut service, order()).await.unwrap();
        let (busy, other) = if a.count() == 1 { (a, b) } else { (b, a) };
        for _ in 0..100 {
            report(call(&mut service, order()).await.unwrap()).await;
        }
        // The busy one is chosen only when both draws fall on it: one time in four. The bounds are
        // eight standard deviations away.
        assert!(other.count() > 40, "{} of 100", other.count());
        let before = busy.count();
        report(held).await;
        for _ in 0..100 {
            report(call(&mut service, order()).await.unwrap()).await;
        }
        assert!(
            busy.count() - before > 10,
            "{} of 100",
            busy.count() - before
        );
    }
}

#[tokio::test(start_paused = true)]
async fn retries_around_it_go_to_another_service() {
    let servers = ["broken", "whole"].map(server);
    servers[0].always(Behaviour::status(503));
    let balance = BalanceLayer::round_robin().layer(servers.iter().map(Hyper::to).collect());
    let mut service = RetryLayer::new(RetryPolicy {
        on: RetryConditions::FIVE_XX,
        status_codes: Vec::new(),
        num_retries: 1,
        per_try_timeout: None,
        backoff: BackoffConfig::default(),
    })
    .layer(balance);
    for _ in 0..10 {
        let seen = report(call(&mut service, order()).await.unwrap()).await;
        assert_eq!(seen.server_id, "whole");
        assert_order(&seen);
    }
}

#[tokio::test(start_paused = true)]
async fn without_services_a_request_fails() {
    let mut service = BalanceLayer::least_request().layer(Vec::<HttpClient>::new());
    let error = call(&mut service, order()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoEndpoint);
}
