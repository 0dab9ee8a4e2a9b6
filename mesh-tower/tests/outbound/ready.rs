//! Before there is a configuration, and where it gives nobody to send to.

use std::{sync::Arc, time::Duration};

use mesh_core::{
    ErrorKind,
    config::{ClusterEntry, Readiness, Transport},
    source::FixedSource,
};
use mesh_tower::{CallerDeadline, Mesh, WaitForReady};
use tokio::time::Instant;

use crate::support::{
    InMemory, PROTOCOLS, SECOND, assert_late, call, cluster, failure, get, mesh_in_memory, mesh_of,
    nowhere, read, request, server, simple,
};

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_the_first_configuration() {
    for protocol in PROTOCOLS {
        let server = Arc::new(server(protocol, "only"));
        let source = FixedSource::new();
        let mesh = mesh_of(&InMemory::of([&server]), &source);
        let client = mesh.http_client("shop");
        let answer = tokio::spawn(async move { get(&client, "/a").await });
        tokio::time::sleep(SECOND * 14).await;
        source.set(
            "shop",
            simple(cluster("only", protocol, &[server.socket()])),
        );
        assert_eq!(answer.await.unwrap().path, "/a");
    }
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_its_deadline_and_says_what_was_missing() {
    let source = FixedSource::new();
    let client = mesh_of(&InMemory::of([]), &source).http_client("shop");
    let mut with_header = call("/shop.Shop/Buy");
    let header = "2500m".parse().unwrap();
    with_header.headers_mut().insert("grpc-timeout", header);
    let mut with_extension = request("/");
    let limit = CallerDeadline(Duration::from_millis(2_500));
    with_extension.extensions_mut().insert(limit);
    for request in [with_header, with_extension] {
        let start = Instant::now();
        let error = failure(&client, request).await;
        assert_late(&error, ErrorKind::StreamDeadline, start, limit.0);
        let text = error.to_string();
        assert!(
            text.contains("no configuration was set for target shop"),
            "{text}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_deadline_it_waits_for_fifteen_seconds() {
    let client = mesh_of(&InMemory::of([]), &FixedSource::new()).http_client("shop");
    let start = Instant::now();
    let error = failure(&client, request("/")).await;
    assert_late(&error, ErrorKind::NotReady, start, SECOND * 15);
    let text = error.to_string();
    assert!(
        text.contains("no configuration was set for target shop"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_does_not_run_is_named() {
    let build = || Mesh::builder().source(FixedSource::new()).build().unwrap();
    let (mesh, driver) = build();
    let client = mesh.http_client("shop");
    let start = Instant::now();
    let error = failure(&client, request("/")).await;
    assert_late(&error, ErrorKind::NotReady, start, SECOND * 15);
    assert!(error.to_string().contains("driver"), "{error}");

    // One that is gone cannot come back: nothing is waited for.
    drop(driver);
    for client in [client, mesh.http_client("another")] {
        let start = Instant::now();
        let error = failure(&client, request("/")).await;
        assert_late(&error, ErrorKind::NotReady, start, Duration::ZERO);
        assert!(error.to_string().contains("driver"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_does_not_exist_fails_at_once() {
    let source = FixedSource::new();
    source.remove("shop", "listener shop does not exist");
    let client = mesh_of(&InMemory::of([]), &source).http_client("shop");
    let start = Instant::now();
    let error = failure(&client, request("/")).await;
    assert_late(&error, ErrorKind::NotReady, start, Duration::ZERO);
    assert!(
        error.to_string().contains("listener shop does not exist"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_target_that_turns_out_not_to_exist_fails_who_waits() {
    let source = FixedSource::new();
    let client = mesh_of(&InMemory::of([]), &source).http_client("shop");
    let start = Instant::now();
    let error = tokio::spawn(async move { failure(&client, request("/")).await });
    tokio::time::sleep(SECOND).await;
    source.remove("shop", "listener shop does not exist");
    let error = error.await.unwrap();
    assert_late(&error, ErrorKind::NotReady, start, SECOND);
    assert!(error.to_string().contains("does not exist"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_without_endpoints_fails_at_once_unless_asked_to_wait() {
    for protocol in PROTOCOLS {
        let empty = simple(cluster("empty", protocol, &[]));
        let (mesh, _source) = mesh_in_memory(&InMemory::of([]), empty);
        let client = mesh.http_client("shop");
        let start = Instant::now();
        let error = failure(&client, request("/")).await;
        assert_late(&error, ErrorKind::NoEndpoint, start, Duration::ZERO);
        assert!(error.to_string().contains("cluster empty"), "{error}");

        let mut waiting = request("/");
        waiting.extensions_mut().insert(WaitForReady(true));
        waiting.extensions_mut().insert(CallerDeadline(SECOND));
        let error = failure(&client, waiting).await;
        assert_late(&error, ErrorKind::StreamDeadline, start, SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_is_sent_as_soon_as_there_is_an_endpoint() {
    for protocol in PROTOCOLS {
        for readiness in [Readiness::OnDemand, Readiness::ConnectFirst] {
            let server = Arc::new(server(protocol, "only"));
            let cluster = |at: &[_]| {
                let mut cluster = cluster("only", protocol, at);
                cluster.lb.readiness = readiness;
                simple(cluster)
            };
            let net = InMemory::of([&server]);
            let (mesh, source) = mesh_in_memory(&net, cluster(&[]));
            let client = mesh.http_client("shop");
            let mut waiting = request("/a");
            waiting.extensions_mut().insert(WaitForReady(true));
            let answer = tokio::spawn(async move { client.send(waiting).await });
            tokio::time::sleep(SECOND).await;
            // One that cannot be reached is no reason to give up either.
            source.set("shop", cluster(&[nowhere()]));
            tokio::time::sleep(SECOND * 5).await;
            assert!(!answer.is_finished());
            assert!(net.refused() > 1);
            source.set("shop", cluster(&[nowhere(), server.socket()]));
            assert_eq!(read(answer.await.unwrap().unwrap()).await.path, "/a");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_not_available_says_why() {
    for protocol in PROTOCOLS {
        let mut snapshot = simple(cluster("shop", protocol, &[nowhere()]));
        let reason = ClusterEntry::Unavailable("cluster shop was rejected".into());
        snapshot.clusters.insert("shop".into(), reason);
        let net = InMemory::of([]);
        let (mesh, _source) = mesh_in_memory(&net, snapshot);
        let error = failure(&mesh.http_client("shop"), request("/")).await;
        assert_eq!(error.kind(), ErrorKind::NoCluster);
        assert!(
            error.to_string().contains("cluster shop was rejected"),
            "{error}"
        );
        assert_eq!(net.refused(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_we_do_not_have_is_never_replaced_by_another() {
    for protocol in PROTOCOLS {
        for readiness in [Readiness::OnDemand, Readiness::ConnectFirst] {
            let server = Arc::new(server(protocol, "only"));
            let mut cluster = cluster("only", protocol, &[server.socket()]);
            cluster.lb.readiness = readiness;
            cluster.transport = Transport::Unsupported("tls without a validator".into());
            let (mesh, _source) = mesh_in_memory(&InMemory::of([&server]), simple(cluster));
            let start = Instant::now();
            let error = failure(&mesh.http_client("shop"), request("/")).await;
            assert_late(&error, ErrorKind::Tls, start, Duration::ZERO);
            assert!(
                error.to_string().contains("tls without a validator"),
                "{error}"
            );
            assert_eq!(server.connections(), 0);
        }
    }
}
