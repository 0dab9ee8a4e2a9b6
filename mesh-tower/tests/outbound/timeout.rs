//! The route's timeout and the attempt's: both from the end of the request to that of the answer.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use mesh_core::{
    ErrorKind,
    config::{BackoffConfig, Forward, RetryConditions, RetryPolicy},
};
use mesh_testkit::echo::Behaviour;
use tokio::time::Instant;

use crate::support::{PROTOCOLS, SECOND, alone, assert_late, channel, failure, get, read, request};

fn limited(forward: &mut Forward) {
    forward.timeout = Some(SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_slow_upload_does_not_count() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, limited);
        let (sender, body) = channel();
        let request = Request::post("http://shop.test/upload").body(body);
        let answer = tokio::spawn(async move { client.send(request.unwrap()).await });
        for word in ["a", "b", "c"] {
            sender.send(Bytes::from(word)).unwrap();
            tokio::time::sleep(SECOND * 10).await;
        }
        drop(sender);
        let seen = read(answer.await.unwrap().unwrap()).await;
        assert_eq!(seen.body.as_deref(), Some("abc"));
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_clock_starts_when_the_request_has_ended() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, limited);
        server.hold();
        let (sender, body) = channel();
        let request = Request::post("http://shop.test/upload").body(body).unwrap();
        let answer = tokio::spawn(async move { failure(&client, request).await });
        tokio::time::sleep(SECOND * 10).await;
        let ended = Instant::now();
        drop(sender);
        assert_late(
            &answer.await.unwrap(),
            ErrorKind::RouteTimeout,
            ended,
            SECOND,
        );
        server
            .wait_for("the server learns of it", |it| it.cancelled() == 1)
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_response_body_counts() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, limited);
        let body_size = Some(8 << 20);
        server.always(Behaviour {
            body_size,
            ..Behaviour::default()
        });
        let mut answer = client.send(request("/")).await.unwrap();
        answer.frame().await.unwrap().unwrap();
        tokio::time::sleep(SECOND * 2).await;
        let error = answer.into_body().collect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RouteTimeout, "{error}");
    }
}

fn tried(on: RetryConditions) -> impl FnOnce(&mut Forward) {
    move |forward| {
        forward.retry = Some(Arc::new(RetryPolicy {
            on,
            status_codes: Vec::new(),
            num_retries: 2,
            per_try_timeout: Some(SECOND),
            backoff: BackoffConfig::default(),
        }));
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_tried_again() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, tried(RetryConditions::FIVE_XX));
        server.next(2, Behaviour::delay(SECOND * 100));
        let start = Instant::now();
        assert_eq!(get(&client, "/a?b").await.serial, 3);
        let took = start.elapsed();
        // Two attempts, and two waits of at most 25 and 50 ms.
        assert!(took >= SECOND * 2 && took < SECOND * 21 / 10, "{took:?}");
        server
            .wait_for("both slow attempts are called off", |it| {
                it.cancelled() == 2
            })
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_condition_for_it_a_late_attempt_is_the_last() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, tried(RetryConditions::CONNECT_FAILURE));
        server.hold();
        let start = Instant::now();
        let error = failure(&client, request("/")).await;
        assert_late(&error, ErrorKind::AttemptTimeout, start, SECOND);
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_routes_timeout_is_over_all_attempts() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, |forward| {
            tried(RetryConditions::FIVE_XX)(forward);
            forward.timeout = Some(SECOND * 3 / 2);
        });
        server.hold();
        let start = Instant::now();
        let error = failure(&client, request("/")).await;
        assert_late(&error, ErrorKind::RouteTimeout, start, SECOND * 3 / 2);
        assert_eq!(server.count(), 2);
    }
}
