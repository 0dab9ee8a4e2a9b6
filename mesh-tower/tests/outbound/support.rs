//! A mesh on a fixed configuration.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use mesh_core::{
    Error, ErrorKind,
    config::{
        Address, ClusterChoice, ClusterConfig, Dialect, Discovery, DomainPattern, EndpointsConfig,
        Forward, Http1Config, Http2Config, MatchRules, Protocol, Route, RouteAction, RouteConfig,
        RouteMatch, Snapshot, SnapshotBuilder, VirtualHost,
    },
    source::FixedSource,
};
use mesh_testkit::echo::{EchoReport, EchoServer};
use mesh_tower::{
    GuardedBody, HttpClient, Mesh,
    connect::{Connect, Connecting, Io},
};
use tokio::{sync::mpsc, time::Instant};

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
        keepalive_timeout: Duration::from_secs(20),
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
        action: RouteAction::Forward(Arc::new(forward)),
        filter_overrides: Default::default(),
    }
}

/// These routes for one domain.
pub(crate) fn routes(domain: &str, routes: Vec<Route>) -> RouteConfig {
    let host = VirtualHost {
        name: domain.into(),
        domains: vec![DomainPattern::from(domain)],
        routes: routes.into_iter().map(Arc::new).collect(),
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

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A catch-all route to one cluster, with this policy.
pub(crate) fn routed(cluster: ClusterConfig, edit: impl FnOnce(&mut Forward)) -> Snapshot {
    let route = route("only", RouteMatch::prefix("/"), cluster.name.as_str(), edit);
    SnapshotBuilder::new("listener")
        .routes(routes("*", vec![route]))
        .cluster(cluster)
        .build()
        .unwrap()
}

/// A GET of `path` at `shop.test`.
pub(crate) fn request(path: &str) -> Request<Full<Bytes>> {
    let request = Request::get(format!("http://shop.test{path}"));
    request.body(Full::default()).unwrap()
}

/// A call of gRPC without a message.
pub(crate) fn call(path: &str) -> Request<Full<Bytes>> {
    let request = Request::post(format!("http://shop.test{path}"));
    let request = request.header("content-type", "application/grpc");
    request
        .header("te", "trailers")
        .body(Full::default())
        .unwrap()
}

/// The error of a request that must not be answered.
pub(crate) async fn failure<B>(client: &HttpClient, request: Request<B>) -> Error
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<mesh_core::error::BoxError>,
{
    client.send(request).await.unwrap_err()
}

/// A body that sends what the other end says, until that is dropped.
pub(crate) fn channel() -> (
    mpsc::UnboundedSender<Bytes>,
    impl Body<Data = Bytes, Error = io::Error> + Unpin + Send + 'static,
) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let frames = stream::poll_fn(move |cx| {
        let data = receiver.poll_recv(cx);
        data.map(|data| data.map(|data| Ok(Frame::data(data))))
    });
    (sender, StreamBody::new(frames))
}

/// Connections to servers without sockets: with them a test can hold the clock.
#[derive(Debug, Default)]
pub(crate) struct InMemory {
    servers: HashMap<Address, Arc<EchoServer>>,
    refused: AtomicUsize,
    silent: AtomicUsize,
}

/// Where nobody listens.
pub(crate) fn nowhere() -> SocketAddr {
    ([127, 0, 0, 1], 1).into()
}

/// Where connections are never made.
pub(crate) fn silence() -> SocketAddr {
    ([127, 0, 0, 1], 2).into()
}

impl InMemory {
    pub(crate) fn of<'a>(servers: impl IntoIterator<Item = &'a Arc<EchoServer>>) -> Arc<Self> {
        let servers = servers.into_iter();
        let servers = servers.map(|it| (Address::Socket(it.socket()), Arc::clone(it)));
        Arc::new(Self {
            servers: servers.collect(),
            ..Self::default()
        })
    }

    /// How often a connection was refused.
    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    /// How often a connection was begun that never comes.
    pub(crate) fn silent(&self) -> usize {
        self.silent.load(Ordering::SeqCst)
    }
}

/// The connector of a mesh; the test keeps the other handle.
#[derive(Debug)]
pub(crate) struct Dial(pub(crate) Arc<InMemory>);

impl Connect for Dial {
    fn connect(&self, to: &Address) -> Connecting {
        if *to == Address::Socket(silence()) {
            self.0.silent.fetch_add(1, Ordering::SeqCst);
            return Box::pin(std::future::pending());
        }
        let io = self.0.servers.get(to).map(|it| it.connect_in_memory());
        if io.is_none() {
            self.0.refused.fetch_add(1, Ordering::SeqCst);
        }
        Box::pin(async move {
            let io = io.ok_or(io::ErrorKind::ConnectionRefused)?;
            Ok(Box::new(io) as Box<dyn Io>)
        })
    }
}

/// A mesh whose target `shop` has this configuration, on connections in memory.
pub(crate) fn mesh_in_memory(net: &Arc<InMemory>, snapshot: Snapshot) -> (Mesh, FixedSource) {
    let source = FixedSource::new();
    source.set("shop", snapshot);
    (mesh_of(net, &source), source)
}

/// A mesh that learns from `source`, on connections in memory.
pub(crate) fn mesh_of(net: &Arc<InMemory>, source: &FixedSource) -> Mesh {
    let dial = Dial(Arc::clone(net));
    let mesh = Mesh::builder().source(source.clone()).connect(dial);
    mesh.spawn().unwrap()
}

/// One server in memory behind a route with this policy.
pub(crate) fn alone(
    protocol: Protocol,
    edit: impl FnOnce(&mut Forward),
) -> (Arc<EchoServer>, HttpClient) {
    let server = Arc::new(server(protocol, "only"));
    let cluster = cluster("only", protocol, &[server.socket()]);
    let (mesh, _source) = mesh_in_memory(&InMemory::of([&server]), routed(cluster, edit));
    (server, mesh.http_client("shop"))
}

/// That something failed with `kind` just when `limit` had passed since `start`, by the held clock.
pub(crate) fn assert_late(error: &Error, kind: ErrorKind, start: Instant, limit: Duration) {
    assert_eq!(error.kind(), kind, "{error}");
    let took = start.elapsed();
    let slack = Duration::from_millis(5);
    assert!(took >= limit && took <= limit + slack, "{took:?}: {error}");
}
