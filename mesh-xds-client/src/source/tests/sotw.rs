//! State of the world.

use std::{sync::atomic::Ordering, time::Duration};

use mesh_core::{
    config::ClusterEntry,
    source::{ConfigSource, ConfigUpdate},
};
use tonic::Status as GrpcStatus;

use super::plane::{
    Plane, Sotw, absent, cluster, endpoints, listener, pending_with, ports, ready, routes, soon,
};
use crate::{
    XdsSource,
    protocol::Variant,
    resource::ResourceType::{Cluster, Endpoints, Listener, RouteConfig},
    store::Status,
};

/// A source whose target `shop` has one cluster with one endpoint, and the stream it came over.
async fn shop(plane: &mut Plane) -> (XdsSource, mesh_core::source::ConfigWatch, Sotw) {
    let source = plane.source(Variant::Sotw);
    let mut watch = source.watch(&"shop".into());
    let mut stream = soon(plane.sotw.recv()).await.unwrap();
    let request = stream.asked(Listener).await;
    assert_eq!(request.resource_names, ["shop"]);
    assert_eq!(request.node.unwrap().id, "node-1");
    stream
        .answer("l1", vec![listener("shop", "shop-routes")])
        .await;
    // The answer and the next question come in the order of the types.
    assert_eq!(stream.asked(Listener).await.version_info, "l1");
    let request = stream.asked(RouteConfig).await;
    assert_eq!(request.resource_names, ["shop-routes"]);
    assert_eq!(request.node, None, "a stream is introduced once");
    stream
        .answer("r1", vec![routes("shop-routes", ["a"])])
        .await;
    stream.asked(RouteConfig).await;
    assert_eq!(stream.asked(Cluster).await.resource_names, ["a"]);
    stream.answer("c1", vec![cluster("a")]).await;
    stream.asked(Cluster).await;
    assert_eq!(stream.asked(Endpoints).await.resource_names, ["a-eds"]);
    stream.answer("e1", vec![endpoints("a", &[1])]).await;
    stream.asked(Endpoints).await;
    let snapshot = ready(&mut watch).await;
    assert_eq!(ports(&snapshot, "a"), [1]);
    (source, watch, stream)
}

#[tokio::test(start_paused = true)]
async fn a_first_snapshot_and_an_update_of_its_endpoints() {
    let mut plane = Plane::new();
    let (source, mut watch, stream) = shop(&mut plane).await;
    let old = ready(&mut watch).await;
    stream.answer("e2", vec![endpoints("a", &[1, 2])]).await;
    assert!(soon(watch.changed()).await);
    let new = ready(&mut watch).await;
    assert_eq!(ports(&new, "a"), [1, 2]);
    assert!(std::sync::Arc::ptr_eq(&old.routes, &new.routes));
    let status = source.status();
    let of = |kind, name| {
        let resource = status.resource(kind, name).unwrap();
        (&*resource.version, resource.status)
    };
    assert!(status.connected && status.connection_error.is_none());
    assert_eq!(of(Listener, "shop"), ("l1", Status::Acked));
    assert_eq!(of(Endpoints, "a-eds"), ("e2", Status::Acked));
    assert_eq!(status.resources.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_refused_update_keeps_the_old_one_and_is_told_to_the_server() {
    let mut plane = Plane::new();
    let (source, mut watch, mut stream) = shop(&mut plane).await;
    let old = ready(&mut watch).await;
    let mut bad = listener("shop", "other");
    bad.api_listener = None;
    stream.answer("l2", vec![bad]).await;
    let request = stream.asked(Listener).await;
    assert_eq!(
        (&*request.version_info, &*request.response_nonce),
        ("l1", "nonce-l2")
    );
    let error = request.error_detail.unwrap().message;
    assert!(error.contains("api_listener"), "{error}");
    let status = source.status();
    let resource = status.resource(Listener, "shop").unwrap();
    assert_eq!(
        (resource.status, &*resource.version),
        (Status::Nacked, "l1")
    );
    assert!(resource.last_error.as_ref().unwrap().contains("node-1"));
    let ConfigUpdate::Ready(kept) = watch.latest() else {
        panic!("{watch:?}");
    };
    assert!(std::sync::Arc::ptr_eq(&old, &kept));
}

#[tokio::test(start_paused = true)]
async fn a_plane_that_restarts_is_found_again_and_nothing_is_lost_meanwhile() {
    let mut plane = Plane::new();
    let (source, mut watch, stream) = shop(&mut plane).await;
    let old = ready(&mut watch).await;
    plane.up.store(false, Ordering::SeqCst);
    stream.fail(GrpcStatus::unavailable("going down")).await;
    soon(async {
        while source.status().connection_error.is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let error = source.status().connection_error.unwrap();
    assert!(
        error.contains("plane.test:1: connection refused"),
        "{error}"
    );
    assert!(
        matches!(watch.latest(), ConfigUpdate::Ready(kept) if std::sync::Arc::ptr_eq(&old, &kept))
    );
    plane.up.store(true, Ordering::SeqCst);
    let mut stream = soon(plane.sotw.recv()).await.unwrap();
    let request = stream.asked(Listener).await;
    assert_eq!(
        request.node.unwrap().id,
        "node-1",
        "each stream is introduced"
    );
    assert_eq!(
        (&*request.version_info, &*request.response_nonce),
        ("l1", "")
    );
    stream.asked(RouteConfig).await;
    stream.asked(Cluster).await;
    assert_eq!(stream.asked(Endpoints).await.resource_names, ["a-eds"]);
    stream.answer("e9", vec![endpoints("a", &[9])]).await;
    assert!(soon(watch.changed()).await);
    assert_eq!(ports(&*ready(&mut watch).await, "a"), [9]);
    assert_eq!(source.status().connection_error, None);
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_with_the_last_handle_and_so_does_the_driver() {
    let mut plane = Plane::new();
    let (source, driver) = plane.source_and_driver(Variant::Sotw);
    let driver = tokio::spawn(driver);
    let watch = source.watch(&"shop".into());
    let mut stream = soon(plane.sotw.recv()).await.unwrap();
    stream.asked(Listener).await;
    drop(source);
    let other = watch.clone();
    drop(watch);
    stream
        .answer("l1", vec![listener("shop", "shop-routes")])
        .await;
    stream.asked(Listener).await;
    stream.asked(RouteConfig).await;
    drop(other);
    stream.ended().await;
    soon(driver).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn watches_of_one_target_share_and_the_last_one_unsubscribes() {
    let mut plane = Plane::new();
    let (source, watch, mut stream) = shop(&mut plane).await;
    let mut second = source.watch(&"xds:///shop".into());
    assert_eq!(ports(&*ready(&mut second).await, "a"), [1]);
    drop(watch);
    assert_eq!(source.status().resources.len(), 4);
    drop(second);
    for kind in [Listener, RouteConfig, Cluster, Endpoints] {
        let request = stream.asked(kind).await;
        assert_eq!(request.resource_names, [""; 0]);
    }
    assert_eq!(source.status().resources.len(), 0);
    let mut third = source.watch(&"shop".into());
    assert_eq!(stream.asked(Listener).await.resource_names, ["shop"]);
    pending_with(&mut third, "Listener \"shop\"").await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_targets_share_one_stream() {
    let mut plane = Plane::new();
    let source = plane.source(Variant::Sotw);
    let names: Vec<String> = (0..100).map(|i| format!("t{i:03}")).collect();
    let mut watches: Vec<_> = names
        .iter()
        .map(|name| source.watch(&name.as_str().into()))
        .collect();
    let mut stream = soon(plane.sotw.recv()).await.unwrap();
    assert_eq!(stream.asked(Listener).await.resource_names, names);
    stream
        .answer(
            "1",
            names.iter().map(|name| listener(name, "all")).collect(),
        )
        .await;
    stream.asked(Listener).await;
    stream.asked(RouteConfig).await;
    stream.answer("1", vec![routes("all", ["a"])]).await;
    stream.asked(RouteConfig).await;
    stream.asked(Cluster).await;
    stream.answer("1", vec![cluster("a")]).await;
    stream.asked(Cluster).await;
    stream.asked(Endpoints).await;
    stream.answer("1", vec![endpoints("a", &[1])]).await;
    let first = ready(&mut watches[0]).await;
    for watch in &mut watches {
        let snapshot = ready(watch).await;
        assert!(
            std::sync::Arc::ptr_eq(&snapshot.routes, &first.routes),
            "compiled once"
        );
        assert!(snapshot.clusters["a"].same(&first.clusters["a"]));
    }
    assert!(plane.sotw.try_recv().is_err(), "one stream");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_clusters_start_with_a_handful_of_requests() {
    let mut plane = Plane::new();
    let source = plane.source(Variant::Sotw);
    let mut watch = source.watch(&"big".into());
    let names: Vec<String> = (0..1000).map(|i| format!("c{i:04}")).collect();
    let mut stream = soon(plane.sotw.recv()).await.unwrap();
    stream.asked(Listener).await;
    stream.answer("1", vec![listener("big", "routes")]).await;
    stream.asked(Listener).await;
    stream.asked(RouteConfig).await;
    stream
        .answer(
            "1",
            vec![routes("routes", names.iter().map(String::as_str))],
        )
        .await;
    stream.asked(RouteConfig).await;
    assert_eq!(stream.asked(Cluster).await.resource_names, names);
    stream
        .answer("1", names.iter().map(|name| cluster(name)).collect())
        .await;
    stream.asked(Cluster).await;
    assert_eq!(stream.asked(Endpoints).await.resource_names.len(), 1000);
    stream
        .answer(
            "1",
            names.iter().map(|name| endpoints(name, &[1])).collect(),
        )
        .await;
    let snapshot = ready(&mut watch).await;
    assert_eq!(snapshot.clusters.len(), 1000);
    stream.asked(Endpoints).await;
    assert_eq!(
        source.status().counters.requests,
        8,
        "one question and one answer a type"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_named_until_it_is_here() {
    let mut plane = Plane::new();
    plane.up.store(false, Ordering::SeqCst);
    let (source, driver) = plane.source_and_driver(Variant::Sotw);
    let mut watch = source.watch(&"shop".into());
    pending_with(&mut watch, "driver does not run yet").await;
    tokio::spawn(driver);
    let text = pending_with(&mut watch, "connection refused").await;
    assert!(
        text.starts_with(
            "xDS node \"node-1\": waiting for Listener \"shop\" (requested from \
            plane.test:1, last error: "
        ),
        "{text}"
    );
    plane.up.store(true, Ordering::SeqCst);
    let mut stream = soon(plane.sotw.recv()).await.unwrap();
    stream.asked(Listener).await;
    stream
        .answer("1", vec![listener("shop", "shop-routes")])
        .await;
    let text = pending_with(&mut watch, "RouteConfiguration \"shop-routes\"").await;
    assert!(!text.contains("last error"), "{text}");
    stream.asked(Listener).await;
    stream.asked(RouteConfig).await;
    stream
        .answer("1", vec![routes("shop-routes", ["a", "b", "c", "d", "e"])])
        .await;
    pending_with(&mut watch, r#"Cluster "a", "b", "c" and 2 more (requested"#).await;
    stream.asked(RouteConfig).await;
    stream.asked(Cluster).await;
    stream
        .answer("1", ["a", "b", "c", "d", "e"].map(cluster).into())
        .await;
    pending_with(
        &mut watch,
        r#"ClusterLoadAssignment "a-eds", "b-eds", "c-eds" and 2"#,
    )
    .await;
    // Nothing of EDS in 15 s: the clusters are there, without endpoints and with the reason.
    let snapshot = ready(&mut watch).await;
    let ClusterEntry::Ready(entry) = &snapshot.clusters["a"] else {
        panic!("{snapshot:?}");
    };
    assert!(entry.endpoints.localities.is_empty());
    let note = entry.note.as_ref().unwrap();
    assert!(note.contains("a-eds") && note.contains("15 s"), "{note}");
}

#[tokio::test(start_paused = true)]
async fn an_absent_listener_and_an_impossible_target_are_errors() {
    let mut plane = Plane::new();
    let source = plane.source(Variant::Sotw);
    let mut nowhere = source.watch(&"xds://nobody/shop".into());
    let text = absent(&mut nowhere).await;
    assert!(
        text.contains("\"nobody\" is not in the bootstrap"),
        "{text}"
    );
    let mut watch = source.watch(&"shop".into());
    let mut stream = soon(plane.sotw.recv()).await.unwrap();
    stream.asked(Listener).await;
    let text = absent(&mut watch).await;
    assert!(
        text.contains("node-1") && text.contains("Listener \"shop\""),
        "{text}"
    );
    stream.answer("1", vec![listener("shop", "routes")]).await;
    pending_with(&mut watch, "RouteConfiguration").await;
    let mut foreign = source.watch(&"xdstp://nobody/envoy.config.listener.v3.Listener/x".into());
    let text = absent(&mut foreign).await;
    assert!(
        text.contains("\"nobody\" is not in the bootstrap"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_watch_learns_that_the_driver_is_gone() {
    let plane = Plane::new();
    let (source, driver) = plane.source_and_driver(Variant::Sotw);
    let mut watch = source.watch(&"shop".into());
    drop(driver);
    assert!(!soon(watch.changed()).await);
    let mut late = source.watch(&"shop".into());
    pending_with(&mut late, "has ended").await;
    assert!(!soon(late.changed()).await);
}
