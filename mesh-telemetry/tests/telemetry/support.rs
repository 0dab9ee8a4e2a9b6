//! A mesh on a fixed configuration that is observed.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use mesh_core::{
    config::{
        Address, BackoffConfig, ClusterChoice, ClusterConfig, Dialect, Discovery, EndpointsConfig,
        Forward, Protocol, RetryConditions, RetryPolicy, Route, RouteAction, RouteConfig,
        RouteMatch, SnapshotBuilder,
    },
    observe::Observer,
    source::FixedSource,
};
use mesh_telemetry::PrometheusRecorder;
use mesh_testkit::{
    EchoServer, GrpcEcho,
    generated::mesh::test::v1::{EchoRequest, echo_client::EchoClient},
};
use mesh_tonic::MeshChannel;
use mesh_tower::{HttpClient, Mesh};

/// Two servers behind two clusters of one target: paths under `/mesh.test.v1.Echo/` go to `calls`,
/// the rest but `/nowhere` to `pages`. Both send again what is UNAVAILABLE, twice.
pub(crate) struct World {
    pub(crate) grpc: GrpcEcho,
    pub(crate) http: EchoServer,
    pub(crate) client: HttpClient,
    pub(crate) calls: EchoClient<MeshChannel>,
    /// Ends with the world, as it keeps the mesh.
    mesh: Mesh,
}

pub(crate) const SHOP: &str = "xds:///shop";

impl World {
    pub(crate) fn new(observer: impl Observer) -> Self {
        let (grpc, http) = (GrpcEcho::start("calls"), EchoServer::http1().start());
        let source = FixedSource::new();
        source.set(SHOP, snapshot(&grpc, &http));
        let mesh = Mesh::builder().source(source).observer(observer);
        let mesh = mesh.spawn().unwrap();
        let client = mesh.http_client(SHOP);
        let channel = MeshChannel::new(client.clone(), "shop.test:81", Dialect::Grpc).unwrap();
        Self {
            grpc,
            http,
            client,
            calls: EchoClient::new(channel),
            mesh,
        }
    }

    /// A client of a target without configuration.
    pub(crate) fn unknown(&self) -> HttpClient {
        self.mesh.http_client("xds:///unknown")
    }

    pub(crate) async fn get(&self, path: &str) -> u16 {
        let request = get(path);
        let answer = self.client.send(request).await.unwrap();
        let status = answer.status().as_u16();
        answer.into_body().collect().await.unwrap();
        status
    }

    pub(crate) async fn call(&mut self) -> Result<(), tonic::Code> {
        let answer = self.calls.unary(EchoRequest::default()).await;
        answer.map(drop).map_err(|status| status.code())
    }
}

/// A request with a path, an authority and a header that matter.
pub(crate) fn get(path: &str) -> Request<Full<Bytes>> {
    let request = Request::get(format!("http://shop.test:81{path}"));
    let request = request.header("x-user", "ann");
    request.body(Full::default()).unwrap()
}

fn snapshot(grpc: &GrpcEcho, http: &EchoServer) -> mesh_core::config::Snapshot {
    let mut routes = RouteConfig::to_cluster("calls".into(), Dialect::Grpc);
    let calls = route("all calls", "/mesh.test.v1.Echo/", "calls");
    let pages = route("all pages", "/shop/", "pages");
    let dead = route("all dead", "/dead/", "dead");
    routes.virtual_hosts[0].routes = [calls, pages, dead].map(Arc::new).into();
    let nowhere = ([127, 0, 0, 1], 1).into();
    SnapshotBuilder::new("listener")
        .routes(routes)
        .cluster(cluster("calls", Dialect::Grpc, grpc.socket()))
        .cluster(cluster("pages", Dialect::Envoy, http.socket()))
        .cluster(cluster("dead", Dialect::Envoy, nowhere))
        .build()
        .unwrap()
}

fn route(name: &str, prefix: &str, cluster: &str) -> Route {
    let mut forward = Forward::to(ClusterChoice::Single(cluster.into()));
    forward.retry = Some(Arc::new(RetryPolicy {
        on: RetryConditions::GRPC_UNAVAILABLE.union(RetryConditions::FIVE_XX),
        status_codes: Vec::new(),
        num_retries: 2,
        per_try_timeout: None,
        backoff: BackoffConfig {
            base: Duration::from_millis(1),
            max: Duration::from_millis(1),
        },
    }));
    Route {
        name: name.into(),
        matches: RouteMatch::prefix(prefix),
        action: RouteAction::Forward(Arc::new(forward)),
        filter_overrides: Default::default(),
    }
}

fn cluster(name: &str, dialect: Dialect, at: SocketAddr) -> ClusterConfig {
    let endpoints = EndpointsConfig::of([Address::Socket(at)]);
    let mut cluster = ClusterConfig::new(name, Discovery::Static(Arc::new(endpoints)), dialect);
    if dialect == Dialect::Envoy {
        cluster.protocol = Protocol::Http1(mesh_core::config::Http1Config::new());
    }
    cluster
}

/// The value of one series on the page; 0 if it is not there.
pub(crate) fn value(recorder: &PrometheusRecorder, series: &str) -> f64 {
    let page = recorder.page().render();
    let mut lines = page.lines();
    let line = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}
