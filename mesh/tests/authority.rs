//! Targets of an authority of the bootstrap (gRFC A47).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mesh::{Bootstrap, Mesh};
use mesh_testkit::{ControlPlane, GrpcEcho, xds};
use serde_json::{Value, json};

const LISTENER: &str = "xdstp://shop.test/envoy.config.listener.v3.Listener/greeter";

/// A mesh whose bootstrap knows the authority `shop.test`, with these servers of its own.
fn mesh(plane: &ControlPlane, servers: Value) -> Mesh {
    let bootstrap = json!({
        "xds_servers": [server(&plane.socket().to_string())],
        "authorities": { "shop.test": { "xds_servers": servers } },
        "node": { "id": "n" },
    });
    let bootstrap = Bootstrap::from_json(&bootstrap.to_string()).unwrap();
    Mesh::builder().bootstrap(bootstrap).spawn().unwrap()
}

fn server(uri: &str) -> Value {
    json!({ "server_uri": uri, "channel_creds": [{ "type": "insecure" }] })
}

#[tokio::test]
async fn an_authority_is_served_by_the_bootstraps_servers() {
    let (plane, echo) = (ControlPlane::start().await, GrpcEcho::start("v1"));
    plane.set((
        xds::listener(LISTENER, "routes"),
        xds::routes("routes", &[("v1", 1)]),
        xds::cluster("v1"),
        xds::endpoints("v1", &[echo.socket()]),
    ));
    let mesh = mesh(&plane, json!([]));
    let channel = mesh.channel("xds://shop.test/greeter").unwrap();
    channel.ready().await.unwrap();
}

#[tokio::test]
async fn an_authority_with_servers_of_its_own_is_refused_with_the_reason() {
    let plane = ControlPlane::start().await;
    let mesh = mesh(&plane, json!([server("127.0.0.1:1")]));
    let channel = mesh.channel("xds://shop.test/greeter").unwrap();
    let status = channel.ready().await.unwrap_err();
    let text = status.message();
    let reason = "\"shop.test\" has control planes of its own, which is not supported";
    assert!(text.contains(reason), "{text}");
}
