//! The incremental variant.

use std::sync::Arc;

use mesh_core::source::{ConfigSource, ConfigUpdate, ConfigWatch};
use tonic::Status as GrpcStatus;

use super::plane::{
    Delta, Plane, absent, cluster, endpoints, listener, ports, ready, routes, soon,
};
use crate::{
    XdsSource,
    protocol::Variant,
    resource::ResourceType::{Cluster, Endpoints, Listener, RouteConfig},
};

/// A source whose target `shop` has two clusters, and the stream that they came over.
async fn shop(plane: &mut Plane) -> (XdsSource, ConfigWatch, Delta) {
    let source = plane.source(Variant::Delta);
    let mut watch = source.watch(&"shop".into());
    let mut stream = soon(plane.delta.recv()).await.unwrap();
    let request = stream.asked(Listener).await;
    assert_eq!(request.resource_names_subscribe, ["shop"]);
    assert_eq!(request.node.unwrap().id, "node-1");
    let listener = vec![("shop", listener("shop", "routes"))];
    stream.answer("l1", listener, &[]).await;
    stream.asked(Listener).await;
    stream.asked(RouteConfig).await;
    let both = vec![("routes", routes("routes", ["a", "b"]))];
    stream.answer("r1", both, &[]).await;
    stream.asked(RouteConfig).await;
    assert_eq!(
        stream.asked(Cluster).await.resource_names_subscribe,
        ["a", "b"]
    );
    let both = vec![("a", cluster("a")), ("b", cluster("b"))];
    stream.answer("c1", both, &[]).await;
    stream.asked(Cluster).await;
    stream.asked(Endpoints).await;
    let both = vec![
        ("a-eds", endpoints("a", &[1])),
        ("b-eds", endpoints("b", &[2])),
    ];
    stream.answer("e1", both, &[]).await;
    stream.asked(Endpoints).await;
    ready(&mut watch).await;
    (source, watch, stream)
}

#[tokio::test(start_paused = true)]
async fn an_update_of_one_cluster_leaves_the_other_alone() {
    let mut plane = Plane::new();
    let (_source, mut watch, mut stream) = shop(&mut plane).await;
    let old = ready(&mut watch).await;
    stream
        .answer("e2", vec![("a-eds", endpoints("a", &[7]))], &[])
        .await;
    assert!(soon(watch.changed()).await);
    let new = ready(&mut watch).await;
    assert_eq!((ports(&new, "a"), ports(&new, "b")), (vec![7], vec![2]));
    assert!(new.clusters["b"].same(&old.clusters["b"]));
    assert!(Arc::ptr_eq(&new.routes, &old.routes));
    assert!(Arc::ptr_eq(&new.listener, &old.listener));
    assert_eq!(stream.asked(Endpoints).await.response_nonce, "nonce-e2");
}

#[tokio::test(start_paused = true)]
async fn a_refused_resource_keeps_its_old_version_and_lets_others_through() {
    let mut plane = Plane::new();
    let (_source, mut watch, mut stream) = shop(&mut plane).await;
    let mut bad = endpoints("a", &[0]);
    bad.endpoints[0].locality = None;
    let sent = vec![("a-eds", bad), ("b-eds", endpoints("b", &[8]))];
    stream.answer("e2", sent, &[]).await;
    let request = stream.asked(Endpoints).await;
    let error = request.error_detail.unwrap().message;
    assert!(
        error.contains("a-eds") && error.contains("locality"),
        "{error}"
    );
    let snapshot = ready(&mut watch).await;
    assert_eq!(
        (ports(&snapshot, "a"), ports(&snapshot, "b")),
        (vec![1], vec![8])
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_stream_says_what_is_here_already() {
    let mut plane = Plane::new();
    let (_source, mut watch, stream) = shop(&mut plane).await;
    stream.fail(GrpcStatus::unavailable("restarting")).await;
    let mut stream = soon(plane.delta.recv()).await.unwrap();
    for kind in [Listener, RouteConfig, Cluster] {
        assert!(
            !stream
                .asked(kind)
                .await
                .initial_resource_versions
                .is_empty()
        );
    }
    let request = stream.asked(Endpoints).await;
    assert_eq!(request.resource_names_subscribe, ["a-eds", "b-eds"]);
    assert_eq!(request.initial_resource_versions["a-eds"], "e1");
    assert!(matches!(watch.latest(), ConfigUpdate::Ready(_)));
}

#[tokio::test(start_paused = true)]
async fn a_removed_listener_is_absent_and_comes_back() {
    let mut plane = Plane::new();
    let (_source, mut watch, mut stream) = shop(&mut plane).await;
    let none = Vec::<(&str, mesh_proto::envoy::config::listener::v3::Listener)>::new();
    stream.answer("l2", none, &["shop"]).await;
    let text = absent(&mut watch).await;
    assert!(text.contains("Listener \"shop\" does not exist"), "{text}");
    stream.asked(Listener).await;
    for kind in [RouteConfig, Cluster, Endpoints] {
        assert!(
            !stream
                .asked(kind)
                .await
                .resource_names_unsubscribe
                .is_empty()
        );
    }
    let listener = vec![("shop", listener("shop", "routes"))];
    stream.answer("l3", listener, &[]).await;
    stream.asked(Listener).await;
    assert_eq!(
        stream.asked(RouteConfig).await.resource_names_subscribe,
        ["routes"]
    );
}
