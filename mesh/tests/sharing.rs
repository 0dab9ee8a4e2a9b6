//! How many streams to the control plane a program has: one for each dialect, as long as its meshes
//! would ask and read the same on the same runtime, or follow one another.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{future::Future, time::Duration};

use mesh::{Bootstrap, Dialect, Mesh, MeshBuilder, MeshChannel, Variant, filter::FilterRegistry};
use mesh_core::config::{ConfigError, FieldPath};
use mesh_testkit::{ControlPlane, GrpcEcho, xds};
use serde_json::json;

fn builder(plane: &ControlPlane) -> MeshBuilder {
    builder_of(plane, "n")
}

fn builder_of(plane: &ControlPlane, node: &str) -> MeshBuilder {
    let bootstrap = json!({
        "xds_servers": [{
            "server_uri": plane.socket().to_string(),
            "channel_creds": [{ "type": "insecure" }],
        }],
        "node": { "id": node },
    });
    let bootstrap = Bootstrap::from_json(&bootstrap.to_string()).unwrap();
    Mesh::builder().bootstrap(bootstrap)
}

async fn plane(echo: &GrpcEcho) -> ControlPlane {
    let plane = ControlPlane::start().await;
    plane.set((
        xds::listener("greeter", "routes"),
        xds::routes("routes", &[("v1", 1)]),
        xds::cluster("v1"),
        xds::endpoints("v1", &[echo.socket()]),
    ));
    plane
}

/// Starts both data planes of a mesh, and drops them.
async fn use_both(mesh: Mesh) {
    let ready = async {
        let channel = mesh.channel("xds:///greeter").unwrap();
        channel.ready().await.unwrap();
        let client = mesh.http_client("xds:///greeter").unwrap();
        client.ready().await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(30), ready)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_channel_and_an_http_client_of_one_dialect_share_a_stream() {
    let echo = GrpcEcho::start("v1");
    for dialect in [Dialect::Grpc, Dialect::Envoy] {
        let plane = plane(&echo).await;
        use_both(builder(&plane).dialect(dialect).spawn().unwrap()).await;
        assert_eq!((plane.streams_total(), plane.connections()), (1, 1));
    }
}

#[tokio::test]
async fn each_dialect_reads_a_stream_of_its_own() {
    let echo = GrpcEcho::start("v1");
    let plane = plane(&echo).await;
    use_both(builder(&plane).spawn().unwrap()).await;
    assert_eq!((plane.streams_total(), plane.connections()), (2, 2));
}

/// A channel of a mesh that is ready.
async fn channel(mesh: &Mesh) -> MeshChannel {
    let channel = mesh.channel("xds:///greeter").unwrap();
    soon(channel.ready()).await.unwrap();
    channel
}

async fn soon<F: Future>(future: F) -> F::Output {
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, future).await.unwrap()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let holding = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    assert!(
        tokio::time::timeout(Duration::from_secs(30), holding)
            .await
            .is_ok(),
        "never: {what}"
    );
}

#[tokio::test]
async fn meshes_that_ask_the_same_share_a_stream_which_ends_with_the_last() {
    let echo = GrpcEcho::start("v1");
    let plane = plane(&echo).await;
    let first = builder(&plane).spawn().unwrap();
    let kept = channel(&first).await;
    let second = builder(&plane).seed(7).spawn().unwrap();
    let also = channel(&second).await;
    assert_eq!(plane.streams_total(), 1);
    assert_eq!(second.status()[0].1.resources.len(), 4);
    drop((first, second, also));
    // The channel alone keeps it, and lets others find it.
    let third = builder(&plane).spawn().unwrap();
    drop((channel(&third).await, third));
    assert_eq!((plane.streams_total(), plane.connections()), (1, 1));
    drop(kept);
    until("no stream", || plane.open_connections() == 0).await;
    channel(&builder(&plane).spawn().unwrap()).await;
    assert_eq!(plane.streams_total(), 2);
}

#[tokio::test]
async fn meshes_that_ask_or_read_otherwise_do_not() {
    #[derive(Debug)]
    struct Nobody;
    impl mesh::observe::Observer for Nobody {}

    let echo = GrpcEcho::start("v1");
    let plane = plane(&echo).await;
    let mut filters = FilterRegistry::default();
    filters.register("type.test/acme.Audit", |_| {
        Err(ConfigError::new(&FieldPath::root(), "never made"))
    });
    let observed = builder(&plane).observer(Nobody);
    let meshes = [
        builder(&plane),
        builder_of(&plane, "another"),
        builder(&plane).variant(Variant::Delta),
        builder(&plane).filters(filters),
        builder(&plane).dialect(Dialect::Envoy),
        builder(&plane).observer(Nobody),
        observed.clone(),
    ];
    let meshes = meshes.map(|it| it.spawn().unwrap());
    for (before, mesh) in (0..).zip(&meshes) {
        assert_eq!(plane.streams_total(), before);
        channel(mesh).await;
    }
    // The very same observer is told once of one client.
    channel(&observed.spawn().unwrap()).await;
    assert_eq!(plane.streams_total(), 7);
}

/// A runtime on a thread of its own, as a worker has it.
fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn a_mesh_on_another_runtime_has_its_own_and_outlives_the_first() {
    let (outside, first, second) = (runtime(), runtime(), runtime());
    let _servers = outside.enter();
    let echo = GrpcEcho::start("v1");
    let plane = outside.block_on(plane(&echo));
    let spawn = async || {
        let mesh = builder(&plane).spawn().unwrap();
        drop(channel(&mesh).await);
        mesh
    };
    let _kept = first.block_on(spawn());
    let second_mesh = second.block_on(spawn());
    assert_eq!(plane.streams_total(), 2);
    drop(first);
    let moved = GrpcEcho::start("v2");
    plane.set(xds::endpoints("v1", &[moved.socket()]));
    second.block_on(async {
        let _watched = channel(&second_mesh).await;
        moved
            .wait_for("a connection", |it| it.connections() > 0)
            .await;
    });
}

#[test]
fn a_mesh_that_follows_another_has_its_stream_on_whatever_runtime() {
    let (outside, first, second) = (runtime(), runtime(), runtime());
    let _servers = outside.enter();
    let echo = GrpcEcho::start("v1");
    let plane = outside.block_on(plane(&echo));
    let leader = first.block_on(async { builder(&plane).spawn().unwrap() });
    let follower = second.block_on(async {
        let mesh = Mesh::builder().follow(&leader).spawn().unwrap();
        // Even if it is the first to ask.
        channel(&mesh).await;
        mesh
    });
    first.block_on(channel(&leader));
    assert_eq!((plane.streams_total(), plane.connections()), (1, 1));
    assert_eq!(follower.status()[0].1.resources.len(), 4);
    // Whoever follows keeps what it follows.
    drop(leader);
    let moved = GrpcEcho::start("v2");
    plane.set(xds::endpoints("v1", &[moved.socket()]));
    let kept = second.block_on(async {
        let kept = channel(&follower).await;
        moved
            .wait_for("a connection", |it| it.connections() > 0)
            .await;
        kept
    });
    // Without the runtime nothing new comes, and what was said stays.
    drop(first);
    second.block_on(async { soon(kept.ready()).await.unwrap() });
    assert_eq!(plane.streams_total(), 1);
}
