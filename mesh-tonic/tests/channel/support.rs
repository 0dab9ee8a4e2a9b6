//! A channel on a fixed configuration.

use std::{net::SocketAddr, sync::Arc};

use mesh_core::{
    config::{
        Address, BackoffConfig, ClusterChoice, ClusterConfig, Dialect, Discovery, EndpointsConfig,
        Forward, RetryConditions, RetryPolicy, RouteAction, RouteConfig, SnapshotBuilder,
    },
    source::FixedSource,
};
use mesh_testkit::generated::mesh::test::v1::{EchoRequest, echo_client::EchoClient};
use mesh_tonic::MeshChannel;
use mesh_tower::Mesh;

/// A channel to these servers, with `edit` applied to its only route; and its source.
pub(crate) fn channel(
    at: &[SocketAddr],
    edit: impl FnOnce(&mut Forward),
) -> (MeshChannel, FixedSource) {
    let source = FixedSource::new();
    let mut routes = RouteConfig::to_cluster("echo".into(), Dialect::Grpc);
    let mut forward = Forward::to(ClusterChoice::Single("echo".into()));
    edit(&mut forward);
    let route = Arc::make_mut(&mut routes.virtual_hosts[0].routes[0]);
    route.action = RouteAction::Forward(Arc::new(forward));
    let endpoints = EndpointsConfig::of(at.iter().copied().map(Address::Socket));
    let discovery = Discovery::Static(Arc::new(endpoints));
    let cluster = ClusterConfig::new("echo", discovery, Dialect::Grpc);
    let snapshot = SnapshotBuilder::new("greeter")
        .routes(routes)
        .cluster(cluster)
        .build()
        .unwrap();
    source.set("greeter", snapshot);
    let mesh = Mesh::builder().source(source.clone()).spawn().unwrap();
    let channel = MeshChannel::new(mesh.http_client("greeter"), "greeter", Dialect::Grpc).unwrap();
    (channel, source)
}

/// A policy that tries UNAVAILABLE twice more.
pub(crate) fn retry_unavailable(forward: &mut Forward) {
    forward.retry = Some(Arc::new(RetryPolicy {
        on: RetryConditions::GRPC_UNAVAILABLE.grpc_only(),
        status_codes: Vec::new(),
        num_retries: 2,
        per_try_timeout: None,
        backoff: BackoffConfig::default(),
    }));
}

pub(crate) fn client(channel: MeshChannel) -> EchoClient<MeshChannel> {
    EchoClient::new(channel)
}

pub(crate) fn say(message: &str) -> EchoRequest {
    EchoRequest {
        message: message.into(),
        ..EchoRequest::default()
    }
}
