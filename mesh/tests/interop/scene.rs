//! What the tests share: two backends, and a mesh that follows a control plane.

use std::net::SocketAddr;

use mesh::{Bootstrap, Mesh, Variant};
use mesh_testkit::{GrpcEcho, generated::mesh::test::v1::EchoRequest};

/// Our node's id; errors for operators name it.
pub(crate) const NODE: &str = "interop-node";

/// Makes the draws of a test repeat themselves.
const SEED: u64 = 7;

/// What both the go-control-plane program and gRPC call the target.
pub(crate) const TARGET: &str = "xds:///greeter";

/// The two versions of the service.
#[derive(Debug)]
pub(crate) struct Backends {
    pub(crate) v1: GrpcEcho,
    pub(crate) v2: GrpcEcho,
}

impl Backends {
    pub(crate) fn start() -> Self {
        Self {
            v1: GrpcEcho::start("v1"),
            v2: GrpcEcho::start("v2"),
        }
    }

    /// As the go-control-plane program takes them.
    pub(crate) fn argument(&self) -> String {
        backends(self.v1.socket(), self.v2.socket())
    }
}

/// Two endpoints, as the go-control-plane program takes them.
pub(crate) fn backends(v1: SocketAddr, v2: SocketAddr) -> String {
    format!("v1={v1},v2={v2}")
}

/// A gRPC bootstrap for these control planes, the preferred one first, without TLS.
pub(crate) fn bootstrap(control_planes: &[SocketAddr]) -> String {
    let servers = control_planes.iter().map(|at| {
        serde_json::json!({
            "server_uri": at.to_string(),
            "channel_creds": [{ "type": "insecure" }],
            "server_features": ["xds_v3"],
        })
    });
    serde_json::json!({
        "xds_servers": servers.collect::<Vec<_>>(),
        "node": { "id": NODE },
    })
    .to_string()
}

/// A mesh on those control planes.
pub(crate) fn mesh(control_planes: &[SocketAddr], variant: Variant) -> Mesh {
    let bootstrap = Bootstrap::from_json(&bootstrap(control_planes)).unwrap();
    Mesh::builder()
        .bootstrap(bootstrap)
        .variant(variant)
        .seed(SEED)
        .spawn()
        .unwrap()
}

pub(crate) fn say(message: &str) -> EchoRequest {
    EchoRequest {
        message: message.to_owned(),
        payload: bytes::Bytes::from_static(&[0, 255]),
        ..EchoRequest::default()
    }
}
