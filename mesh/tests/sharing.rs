//! How many streams to the control plane a program has: one for each mesh and dialect.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use mesh::{Bootstrap, Dialect, Mesh, MeshBuilder};
use mesh_testkit::{ControlPlane, GrpcEcho, xds};
use serde_json::json;

fn builder(plane: &ControlPlane) -> MeshBuilder {
    let bootstrap = json!({
        "xds_servers": [{
            "server_uri": plane.socket().to_string(),
            "channel_creds": [{ "type": "insecure" }],
        }],
        "node": { "id": "n" },
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
