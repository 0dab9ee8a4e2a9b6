//! A mesh on a fixed configuration.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use mesh_core::{
    config::{
        Address, ClusterChoice, ClusterConfig, Dialect, Discovery, DomainPattern, EndpointsConfig,
        Forward, Http1Config, Http2Config, MatchRules, Protocol, Route, RouteAction, RouteConfig,
        RouteMatch, Snapshot, SnapshotBuilder, VirtualHost,
    },
    source::FixedSource,
};
use mesh_testkit::echo::{EchoReport, EchoServer};
use mesh_tower::{GuardedBody, HttpClient, Mesh};

pub(crate) const PROTOCOLS: [Protocol; 2] = [
    Protocol::Http1(Http1Config::new()),
    Protocol::Http2(http2()),
];

const fn http2() -> Http2Config {
    Http2Config {
        max_concurrent_streams: 1024,
        initial_stream_window: 1 << 20,
        initial_connection_window: 2 << 20,
        keepalive_interval: None,
        keepalive_timeout: std::time::Duration::from_secs(20),
    }
}

/// A server that speaks `protocol`.
pub(crate) fn server(protocol: Protocol, id: &str) -> EchoServer {
    match protocol {
        Protocol::Http1(_) => EchoServer::http1(),
        Protocol::Http2(_) => EchoServer::http2(),
    }
    .server_id(id)
    .start()
}

/// A cluster of these addresses.
pub(crate) fn cluster(name: &str, protocol: Protocol, at: &[SocketAddr]) -> ClusterConfig {
    let endpoints = EndpointsConfig::of(at.iter().copied().map(Address::Socket));
    let discovery = Discovery::Static(Arc::new(endpoints));
    let mut cluster = ClusterConfig::new(name, discovery, Dialect::Envoy);
    cluster.protocol = protocol;
    cluster
}

/// A route to `cluster`.
pub(crate) fn route(
    name: &str,
    matches: RouteMatch,
    cluster: &str,
    edit: impl FnOnce(&mut Forward),
) -> Route {
    let mut forward = Forward::to(ClusterChoice::Single(cluster.into()));
    edit(&mut forward);
    Route {
        name: name.into(),
        matches,
        action: RouteAction::Forward(Box::new(forward)),
        filter_overrides: Default::default(),
    }
}

/// These routes for one domain.
pub(crate) fn routes(domain: &str, routes: Vec<Route>) -> RouteConfig {
    let host = VirtualHost {
        name: domain.into(),
        domains: vec![DomainPattern::from(domain)],
        routes,
        retry: None,
        filter_overrides: Default::default(),
    };
    RouteConfig {
        name: "routes".into(),
        virtual_hosts: vec![host],
        ignore_port: false,
        rules: MatchRules::of(Dialect::Envoy),
    }
}

/// One cluster behind one catch-all route.
pub(crate) fn simple(cluster: ClusterConfig) -> Snapshot {
    SnapshotBuilder::new("listener")
        .cluster(cluster)
        .build()
        .unwrap()
}

/// A mesh whose target `shop` has this configuration, and the handle to change it.
pub(crate) fn mesh(snapshot: Snapshot) -> (Mesh, FixedSource) {
    let source = FixedSource::new();
    source.set("shop", snapshot);
    (
        Mesh::builder().source(source.clone()).spawn().unwrap(),
        source,
    )
}

/// Reads a response to its end.
pub(crate) async fn read(response: Response<GuardedBody>) -> EchoReport {
    EchoReport::parse(&response.into_body().collect().await.unwrap().to_bytes())
}

/// A GET of `path` at `shop.test`, answered 200.
pub(crate) async fn get(client: &HttpClient, path: &str) -> EchoReport {
    let request = Request::get(format!("http://shop.test{path}")).body(Full::<Bytes>::default());
    let response = client.send(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    read(response).await
}
