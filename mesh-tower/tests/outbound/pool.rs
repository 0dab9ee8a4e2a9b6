//! Connections that come and go under requests, through the whole stack.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use mesh_core::{
    ErrorKind,
    config::{ClusterConfig, Protocol, Readiness},
    local_reply::LocalReply,
};
use mesh_testkit::{
    CountingListener,
    echo::{EchoReport, EchoServer},
};
use mesh_tower::{GuardedBody, HttpClient};
use tokio::{task::yield_now, time::Instant};

use crate::support::{
    InMemory, PROTOCOLS, SECOND, assert_late, channel, cluster, failure, get, mesh, mesh_in_memory,
    read, request, server, silence, simple,
};

/// A server and a client of it over connections in memory.
fn pair(
    protocol: Protocol,
    edit: impl FnOnce(&mut ClusterConfig),
) -> (Arc<EchoServer>, HttpClient) {
    let server = Arc::new(server(protocol, "only"));
    let mut cluster = cluster("only", protocol, &[server.socket()]);
    edit(&mut cluster);
    let (mesh, _source) = mesh_in_memory(&InMemory::of([&server]), simple(cluster));
    (server, mesh.http_client("shop"))
}

fn post(number: usize) -> Request<Full<Bytes>> {
    let body = Bytes::from(format!("order {number}"));
    Request::post(format!("http://shop.test/orders/{number}"))
        .body(Full::new(body))
        .unwrap()
}

async fn posted(client: &HttpClient, number: usize) -> EchoReport {
    let response = client.send(post(number)).await.unwrap();
    assert_eq!(response.status(), 200);
    let seen = read(response).await;
    assert_eq!(seen.path, format!("/orders/{number}"));
    assert_eq!(seen.body, Some(format!("order {number}")));
    seen
}

/// Twenty callers at once, while the server asks its clients to leave again and again: no request
/// fails, and none is answered twice. Not so over HTTP/1, where a close may cross a request and
/// nobody can say whether that was read.
#[tokio::test]
async fn no_request_is_lost_to_connections_that_go_away() {
    let protocol = PROTOCOLS[1];
    for readiness in [Readiness::OnDemand, Readiness::ConnectFirst] {
        let server = server(protocol, "only");
        let mut cluster = cluster("only", protocol, &[server.socket()]);
        cluster.lb.readiness = readiness;
        let (mesh, _source) = mesh(simple(cluster));
        let client = mesh.http_client("shop");
        posted(&client, 0).await;
        let done = Arc::new(AtomicBool::new(false));
        let callers = (0..20).map(|_| {
            let (client, done) = (client.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let mut count = 0;
                while !done.load(Ordering::Relaxed) {
                    count += 1;
                    posted(&client, count).await;
                }
                count
            })
        });
        let callers: Vec<_> = callers.collect();
        for round in 1..=20 {
            server.goaway();
            // Until others have been answered over another connection.
            let count = server.count() + 20;
            let what = format!("connection {round}");
            server
                .wait_for(&what, |it| it.connections() > round && it.count() > count)
                .await;
        }
        done.store(true, Ordering::Relaxed);
        let mut sent = 1;
        for caller in callers {
            sent += caller.await.unwrap() as u64;
        }
        assert_eq!(server.count(), sent, "some were sent twice");
    }
}

/// The server closes idle connections without a word; what comes next goes over a new one, whether
/// or not the client has had time to see that, and also with a body that can be read only once.
#[tokio::test(start_paused = true)]
async fn a_closed_idle_connection_costs_no_request() {
    for protocol in PROTOCOLS {
        for seen in [true, false] {
            let (server, client) = pair(protocol, |_| {});
            for number in 1..5 {
                posted(&client, number).await;
                server.disconnect().await;
                if seen {
                    for _ in 0..100 {
                        yield_now().await;
                    }
                }
            }
            let (body, stream) = channel();
            let request = Request::post("http://shop.test/stream")
                .body(stream)
                .unwrap();
            let sending = tokio::spawn({
                let client = client.clone();
                async move { read(client.send(request).await.unwrap()).await }
            });
            body.send(Bytes::from_static(b"once")).unwrap();
            drop(body);
            let report = sending.await.unwrap();
            assert_eq!(report.body.as_deref(), Some("once"));
            assert_eq!(server.count(), 5);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_never_answers_the_call_is_a_timeout_of_connecting() {
    for protocol in PROTOCOLS {
        let mut cluster = cluster("only", protocol, &[silence()]);
        cluster.connect_timeout = 3 * SECOND;
        let (mesh, _source) = mesh_in_memory(&InMemory::of([]), simple(cluster));
        let start = Instant::now();
        let error = failure(&mesh.http_client("shop"), request("/")).await;
        assert_late(&error, ErrorKind::ConnectTimeout, start, 3 * SECOND);
        let reply = LocalReply::of(&error);
        assert_eq!(reply.flag, "UF");
        assert!(reply.details.contains("connection_timeout"), "{reply:?}");
    }
}

/// What an operator reads of a refused connection: Envoy's details with the transport's own words.
#[tokio::test]
async fn a_refused_connection_is_told_with_its_reason() {
    for protocol in PROTOCOLS {
        let refusing = mesh_testkit::refusing_address();
        let (mesh, _source) = mesh(simple(cluster("only", protocol, &[refusing.socket()])));
        let client = mesh.http_client("shop");
        // At first from the pool, then, inside the back-off, from the picker.
        for _ in 0..2 {
            let error = failure(&client, request("/")).await;
            assert_eq!(error.kind(), ErrorKind::Connect);
            let details = LocalReply::of(&error).details;
            assert!(details.contains("_Connection_refused}"), "{details}");
        }
    }
}

/// A backend that accepts and dies never said that it speaks HTTP/2: it was not connected to, and is
/// left alone for its back-off. So is one that says nothing.
#[tokio::test]
async fn a_backend_that_does_not_begin_http2_is_left_alone() {
    for readiness in [Readiness::OnDemand, Readiness::ConnectFirst] {
        let dying = CountingListener::start();
        let mut cluster = cluster("only", PROTOCOLS[1], &[dying.socket()]);
        cluster.lb.readiness = readiness;
        let (mesh, _source) = mesh(simple(cluster));
        let client = mesh.http_client("shop");
        for _ in 0..100 {
            let error = failure(&client, request("/")).await;
            assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
            assert!(!error.was_sent());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn more_than_may_wait_are_turned_away() {
    for protocol in PROTOCOLS {
        let (server, client) = pair(protocol, |cluster| {
            cluster.limits.max_connections = 1;
            cluster.limits.max_pending_requests = 1;
            if let Protocol::Http2(http2) = &mut cluster.protocol {
                http2.max_concurrent_streams = 1;
            }
        });
        get(&client, "/").await;
        server.hold();
        let send = || {
            let client = client.clone();
            tokio::spawn(async move { get(&client, "/").await })
        };
        let busy = send();
        server.wait_for("one", |it| it.in_flight() == 1).await;
        let waiting = send();
        for _ in 0..100 {
            yield_now().await;
        }
        let error = failure(&client, request("/")).await;
        assert_eq!(error.kind(), ErrorKind::Overloaded);
        let reply = LocalReply::of(&error);
        assert_eq!((reply.status.as_u16(), reply.flag), (503, "UO"));
        server.release();
        busy.await.unwrap();
        waiting.await.unwrap();
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_and_the_next_request_begins_another() {
    for protocol in PROTOCOLS {
        let (server, client) = pair(protocol, |cluster| {
            cluster.idle_timeout = Some(5 * SECOND);
        });
        assert_eq!(get(&client, "/").await.connection, 1);
        let start = Instant::now();
        server
            .wait_for("it is closed", |it| it.open_connections() == 0)
            .await;
        let idle = start.elapsed();
        let slack = Duration::from_millis(50);
        assert!(
            idle + slack >= 5 * SECOND && idle <= 10 * SECOND + slack,
            "{idle:?}"
        );
        assert_eq!(get(&client, "/").await.connection, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_under_way_survives_its_connections_goaway() {
    for protocol in PROTOCOLS {
        let (server, client) = pair(protocol, |_| {});
        server.hold();
        let sending = tokio::spawn({
            let client = client.clone();
            async move { client.send(request("/slow")).await.unwrap() }
        });
        server.wait_for("one", |it| it.in_flight() == 1).await;
        server.goaway();
        for _ in 0..100 {
            yield_now().await;
        }
        server.release();
        let response = sending.await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(EchoReport::parse(&body).connection, 1);
        assert_eq!(get(&client, "/").await.connection, 2);
    }
}

/// Every call allocates its future, and every layer moves its answer.
#[tokio::test]
async fn what_each_request_moves_stays_small() {
    let server = server(PROTOCOLS[0], "only");
    let cluster = cluster("only", PROTOCOLS[0], &[server.socket()]);
    let (mesh, _source) = mesh(simple(cluster));
    let sending = mesh.http_client("shop").send(request("/"));
    let (future, answer) = (size_of_val(&sending), size_of::<Response<GuardedBody>>());
    assert!(future <= 3 << 10 && answer <= 256, "{future}, {answer}");
    read(sending.await.unwrap()).await;
}
