use std::time::Duration;

use bytes::Bytes;
use http::Request;
use mesh_core::{
    ErrorKind,
    config::{BackoffConfig, RetryConditions, RetryPolicy},
};
use mesh_testkit::echo::Behaviour;
use mesh_tower::layers::RetryLayer;
use tokio::time::Instant;
use tower_layer::Layer;

use super::{Broken, Hyper, assert_order, call, order, report, server};
use crate::support::{PROTOCOLS, SECOND, alone, channel};

fn layer(on: RetryConditions) -> RetryLayer {
    RetryLayer::new(RetryPolicy {
        on,
        status_codes: Vec::new(),
        num_retries: 2,
        per_try_timeout: Some(SECOND),
        backoff: BackoffConfig::default(),
    })
}

#[tokio::test(start_paused = true)]
async fn a_request_arrives_as_it_was_sent_each_time() {
    let server = server("only");
    server.next(2, Behaviour::status(503));
    let mut service = layer(RetryConditions::FIVE_XX).layer(Hyper::to(&server));
    let seen = report(call(&mut service, order()).await.unwrap()).await;
    assert_eq!(seen.serial, 3);
    assert_order(&seen);
    for seen in server.requests() {
        assert_eq!(seen.path, "/orders/7%2F8?sort=up&empty=");
        assert_eq!(seen.body, "two apples");
    }
}

#[tokio::test(start_paused = true)]
async fn around_a_client_of_the_mesh_too() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, |_| {});
        server.next(1, Behaviour::status(502));
        let mut service = layer(RetryConditions::GATEWAY_ERROR).layer(client);
        let seen = report(call(&mut service, order()).await.unwrap()).await;
        assert_eq!(seen.serial, 2);
        assert_order(&seen);
    }
}

#[tokio::test(start_paused = true)]
async fn a_streaming_body_is_sent_again() {
    let server = server("only");
    server.next(1, Behaviour::status(503));
    let mut service = layer(RetryConditions::FIVE_XX).layer(Hyper::to(&server));
    let (sender, body) = channel();
    for word in ["one,", "two,", "three"] {
        sender.send(Bytes::from(word)).unwrap();
    }
    drop(sender);
    let request = Request::post("http://shop.test/").body(body).unwrap();
    let seen = report(call(&mut service, request).await.unwrap()).await;
    assert_eq!(
        (seen.serial, seen.body.as_deref()),
        (2, Some("one,two,three"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_late_attempt_and_a_reset_are_tried_again() {
    let server = server("only");
    server.next(1, Behaviour::delay(SECOND * 100));
    server.next(1, Behaviour::reset(h2::Reason::INTERNAL_ERROR));
    let mut service = layer(RetryConditions::RESET).layer(Hyper::to(&server));
    let start = Instant::now();
    let seen = report(call(&mut service, order()).await.unwrap()).await;
    assert_eq!(seen.serial, 3);
    assert!(start.elapsed() >= SECOND && start.elapsed() < SECOND * 2);
}

#[tokio::test(start_paused = true)]
async fn a_service_says_when_to_try_again() {
    let server = server("only");
    let later = Behaviour::status(503).with_header("grpc-retry-pushback-ms", "1500");
    server.next(1, later);
    let mut service = layer(RetryConditions::FIVE_XX).layer(Hyper::to(&server));
    let start = Instant::now();
    report(call(&mut service, order()).await.unwrap()).await;
    assert!(start.elapsed() >= Duration::from_millis(1_500));
}

#[tokio::test(start_paused = true)]
async fn what_the_policy_does_not_name_stands() {
    let server = server("only");
    server.next(1, Behaviour::status(503));
    server.next(1, Behaviour::reset(h2::Reason::INTERNAL_ERROR));
    let mut service = layer(RetryConditions::CONNECT_FAILURE).layer(Hyper::to(&server));
    let answer = call(&mut service, order()).await.unwrap();
    assert_eq!(answer.status(), 503);
    let error = call(&mut service, order()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Reset, "{error}");
    assert!(error.was_sent());
    assert_eq!(server.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_never_ready_is_given_up() {
    let mut service = layer(RetryConditions::CONNECT_FAILURE).layer(Broken);
    let error = call(&mut service, order()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(!error.was_sent());
    assert_eq!(
        error.to_string(),
        "the service is not ready (attempt 3): out of order"
    );
}
