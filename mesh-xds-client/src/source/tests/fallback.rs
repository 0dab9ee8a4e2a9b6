//! Two control planes (gRFC A71).

use mesh_core::source::{ConfigSource, ConfigUpdate, ConfigWatch};
use tonic::Status as GrpcStatus;

use super::plane::{
    Plane, Sotw, cluster, endpoints, listener, pending_with, ports, ready, routes, soon, until,
};
use crate::{
    protocol::Variant,
    resource::ResourceType::{Cluster, Endpoints, Listener, RouteConfig},
};

/// Gives `shop` one cluster with an endpoint at this port, over a stream that asks for the listener
/// first.
async fn serve(stream: &mut Sotw, version: &str, port: u16) {
    stream.asked(Listener).await;
    stream
        .answer(version, vec![listener("shop", "routes")])
        .await;
    stream.asked(Listener).await;
    stream.asked(RouteConfig).await;
    stream.answer(version, vec![routes("routes", ["a"])]).await;
    stream.asked(RouteConfig).await;
    stream.asked(Cluster).await;
    stream.answer(version, vec![cluster("a")]).await;
    stream.asked(Cluster).await;
    stream.asked(Endpoints).await;
    stream.answer(version, vec![endpoints("a", &[port])]).await;
    stream.asked(Endpoints).await;
}

async fn port(watch: &mut ConfigWatch, port: u16) {
    until(watch, |update| match update {
        ConfigUpdate::Ready(snapshot) => (ports(&snapshot, "a") == [port]).then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn fallback_on_startup_and_back_again() {
    let (mut first, mut second) = (Plane::new(), Plane::new());
    first.set_up(false);
    second.set_up(false);
    let source = Plane::source_of(&[&first, &second], Variant::Sotw);
    let mut watch = source.watch(&"shop".into());
    // Users hear of the last server's failure only.
    let text = pending_with(&mut watch, "connection refused").await;
    assert!(text.contains("plane1.test:1: connection refused"), "{text}");
    second.set_up(true);
    let mut stream = soon(second.sotw.recv()).await.unwrap();
    serve(&mut stream, "1", 2).await;
    port(&mut watch, 2).await;
    assert_eq!(&*source.status().server, "plane1.test:1");

    first.set_up(true);
    let mut probe = soon(first.sotw.recv()).await.unwrap();
    let request = probe.asked(Listener).await;
    assert_eq!(request.resource_names, ["shop"]);
    assert_eq!(request.node.unwrap().id, "node-1");
    assert_eq!(
        ports(&*ready(&mut watch).await, "a"),
        [2],
        "nothing moves before an answer"
    );
    probe.answer("9", vec![listener("shop", "routes")]).await;
    probe.ended().await;
    stream.ended().await;
    let mut stream = soon(first.sotw.recv()).await.unwrap();
    let request = stream.asked(Listener).await;
    assert_eq!(
        request.version_info, "",
        "versions of one server mean nothing to another"
    );
    for kind in [RouteConfig, Cluster, Endpoints] {
        stream.asked(kind).await;
    }
    assert_eq!(
        ports(&*ready(&mut watch).await, "a"),
        [2],
        "what is cached stays"
    );
    stream.answer("9", vec![endpoints("a", &[1])]).await;
    port(&mut watch, 1).await;
    assert_eq!(&*source.status().server, "plane0.test:1");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_everything_does_not_fall_back() {
    let (mut first, mut second) = (Plane::new(), Plane::new());
    let source = Plane::source_of(&[&first, &second], Variant::Sotw);
    let mut watch = source.watch(&"shop".into());
    let mut stream = soon(first.sotw.recv()).await.unwrap();
    serve(&mut stream, "1", 1).await;
    port(&mut watch, 1).await;
    first.set_up(false);
    stream.fail(GrpcStatus::unavailable("dying")).await;
    // A few rounds of the back-off later it is still the first that is asked.
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert!(
        source
            .status()
            .connection_error
            .unwrap()
            .contains("plane0.test:1")
    );
    first.set_up(true);
    let mut stream = soon(first.sotw.recv()).await.unwrap();
    stream.asked(Listener).await;
    assert!(
        second.sotw.try_recv().is_err(),
        "the second was never asked"
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_watch_falls_back_while_the_first_is_away() {
    let (mut first, mut second) = (Plane::new(), Plane::new());
    let source = Plane::source_of(&[&first, &second], Variant::Sotw);
    let mut watch = source.watch(&"shop".into());
    let mut stream = soon(first.sotw.recv()).await.unwrap();
    serve(&mut stream, "1", 1).await;
    port(&mut watch, 1).await;
    first.set_up(false);
    stream.fail(GrpcStatus::unavailable("dying")).await;
    let mut other = source.watch(&"bank".into());
    let mut stream = soon(second.sotw.recv()).await.unwrap();
    let request = stream.asked(Listener).await;
    assert_eq!(
        request.resource_names,
        ["bank", "shop"],
        "everything is asked for"
    );
    stream
        .answer(
            "1",
            vec![listener("shop", "routes"), listener("bank", "routes")],
        )
        .await;
    assert_eq!(
        ports(&*ready(&mut other).await, "a"),
        [1],
        "the rest was cached"
    );
}

#[tokio::test(start_paused = true)]
async fn fallback_mid_update() {
    let (mut first, mut second) = (Plane::new(), Plane::new());
    let source = Plane::source_of(&[&first, &second], Variant::Sotw);
    let mut watch = source.watch(&"shop".into());
    let mut stream = soon(first.sotw.recv()).await.unwrap();
    serve(&mut stream, "1", 1).await;
    port(&mut watch, 1).await;
    stream.answer("2", vec![routes("routes", ["a", "b"])]).await;
    stream.asked(RouteConfig).await;
    assert_eq!(stream.asked(Cluster).await.resource_names, ["a", "b"]);
    first.set_up(false);
    stream.fail(GrpcStatus::unavailable("dying")).await;
    let mut stream = soon(second.sotw.recv()).await.unwrap();
    for kind in [Listener, RouteConfig, Cluster, Endpoints] {
        stream.asked(kind).await;
    }
    stream.answer("1", vec![cluster("a"), cluster("b")]).await;
    stream.asked(Cluster).await;
    stream.asked(Endpoints).await;
    stream
        .answer("1", vec![endpoints("a", &[2]), endpoints("b", &[2])])
        .await;
    let snapshot = until(&mut watch, |update| match update {
        ConfigUpdate::Ready(snapshot) => (snapshot.clusters.len() == 2).then_some(snapshot),
        _ => None,
    })
    .await;
    assert_eq!(
        (ports(&snapshot, "a"), ports(&snapshot, "b")),
        (vec![2], vec![2])
    );
}
