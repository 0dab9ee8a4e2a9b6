//! The stream deadline: it bounds whatever a request may be waiting for.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use mesh_core::{
    ErrorKind,
    config::{BackoffConfig, Forward, LbConfig, Readiness, RetryConditions, RetryPolicy},
    policy::deadline::parse_grpc_timeout,
};
use mesh_testkit::echo::Behaviour;
use mesh_tower::CallerDeadline;
use tokio::time::Instant;

use crate::support::{
    InMemory, PROTOCOLS, SECOND, alone, assert_late, call, channel, cluster, failure, get,
    mesh_in_memory, read, request, routed, silence,
};

fn limited(forward: &mut Forward) {
    forward.stream.max_stream_duration = Some(SECOND);
}

#[tokio::test(start_paused = true)]
async fn it_ends_the_wait_for_an_answer() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, limited);
        server.hold();
        let start = Instant::now();
        let error = failure(&client, request("/")).await;
        assert_late(&error, ErrorKind::StreamDeadline, start, SECOND);
        assert!(error.was_sent());
        server
            .wait_for("the server learns of it", |it| it.cancelled() == 1)
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_does_not_end_counts() {
    for protocol in PROTOCOLS {
        let (_server, client) = alone(protocol, limited);
        let (sender, body) = channel();
        sender.send(Bytes::from("a")).unwrap();
        let request = Request::post("http://shop.test/upload").body(body).unwrap();
        let start = Instant::now();
        let error = failure(&client, request).await;
        assert_late(&error, ErrorKind::StreamDeadline, start, SECOND);
        sender.closed().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_shortest_of_routes_headers_and_callers_limit_counts() {
    let ms = Duration::from_millis;
    let cases = [
        (Some(SECOND), None, None, SECOND),
        (Some(SECOND), Some("300m"), None, ms(300)),
        (Some(ms(200)), Some("300m"), None, ms(200)),
        (None, Some("300m"), Some(ms(100)), ms(100)),
        (None, Some("300m"), Some(SECOND), ms(300)),
        (None, None, Some(ms(50)), ms(50)),
    ];
    for protocol in PROTOCOLS {
        for (route, header, caller, limit) in cases {
            let (server, client) = alone(protocol, |forward| {
                forward.stream.max_stream_duration = route;
            });
            server.hold();
            let mut call = call("/shop.Shop/Buy");
            if let Some(header) = header {
                let headers = call.headers_mut();
                headers.insert("grpc-timeout", header.parse().unwrap());
            }
            if let Some(caller) = caller {
                call.extensions_mut().insert(CallerDeadline(caller));
            }
            let start = Instant::now();
            let error = failure(&client, call).await;
            assert_late(&error, ErrorKind::StreamDeadline, start, limit);
            // What the service is told is what we wait.
            let told = parse_grpc_timeout(&server.requests()[0].headers);
            assert_eq!(told, Some(limit));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_lets_nothing_leave() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, |_| {});
        let mut early = request("/");
        let limit = CallerDeadline(Duration::ZERO);
        early.extensions_mut().insert(limit);
        let error = failure(&client, early).await;
        assert_eq!(error.kind(), ErrorKind::StreamDeadline);
        assert!(!error.was_sent());
        assert_eq!((server.count(), server.connections()), (0, 0));
        // Nor once there is a configuration and a connection.
        get(&client, "/").await;
        let mut late = request("/");
        late.extensions_mut().insert(limit);
        let error = failure(&client, late).await;
        assert_eq!(error.kind(), ErrorKind::StreamDeadline);
        get(&client, "/").await;
        assert_eq!(server.count(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn it_ends_the_reading_of_a_response_body() {
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
        assert_eq!(error.kind(), ErrorKind::StreamDeadline, "{error}");
        server
            .wait_for("nothing to be under way", |it| it.in_flight() == 0)
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_read_in_time_is_whole() {
    for protocol in PROTOCOLS {
        let (_server, client) = alone(protocol, limited);
        let answer = client.send(request("/a")).await.unwrap();
        assert_eq!(read(answer).await.path, "/a");
    }
}

#[tokio::test(start_paused = true)]
async fn it_ends_the_wait_for_a_connection() {
    for protocol in PROTOCOLS {
        for readiness in [Readiness::OnDemand, Readiness::ConnectFirst] {
            let mut cluster = cluster("silent", protocol, &[silence()]);
            cluster.connect_timeout = SECOND * 10;
            cluster.lb = LbConfig {
                readiness,
                ..cluster.lb
            };
            let net = InMemory::of([]);
            let (mesh, _source) = mesh_in_memory(&net, routed(cluster, limited));
            let start = Instant::now();
            let error = failure(&mesh.http_client("shop"), request("/")).await;
            assert_late(&error, ErrorKind::StreamDeadline, start, SECOND);
            assert_eq!(net.silent(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_over_all_attempts_and_the_waits_between_them() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, |forward| {
            limited(forward);
            forward.retry = Some(Arc::new(RetryPolicy {
                on: RetryConditions::FIVE_XX,
                status_codes: Vec::new(),
                num_retries: 1_000,
                per_try_timeout: None,
                backoff: BackoffConfig::default(),
            }));
        });
        server.always(Behaviour::status(503));
        let start = Instant::now();
        let error = failure(&client, request("/")).await;
        assert_late(&error, ErrorKind::StreamDeadline, start, SECOND);
        assert!(server.count() > 2, "{} attempts", server.count());
    }
}
