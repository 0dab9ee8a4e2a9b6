//! The client against a control plane over real connections, in both variants of the protocol.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod scale;

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Request;
use mesh_core::{
    bounds::Bound,
    config::{Address, ClusterEntry, Dialect, Snapshot},
    server::{ChannelCredentials, Server, ServerAddress},
    source::{ConfigSource, ConfigUpdate, ConfigWatch},
};
use mesh_testkit::{
    ControlPlane, GrpcConnection,
    control::{CDS, EDS, LDS, RDS, StreamKind},
    leak::assert_no_tasks_left,
    xds,
};
use mesh_xds_client::{
    Bootstrap, XdsOptions, XdsSource,
    bootstrap::{Node, XdsServer},
    driver::{BoxError, Channel, RequestBody},
    protocol::Variant,
    resource::ResourceType,
    store::Status,
};
use tower_service::Service;

const BOTH: [Variant; 2] = [Variant::Sotw, Variant::Delta];

/// A bare connection as the driver wants one.
struct Connection(GrpcConnection);

impl Service<Request<RequestBody>> for Connection {
    type Response = <GrpcConnection as Service<Request<tonic::body::Body>>>::Response;
    type Error = <GrpcConnection as Service<Request<tonic::body::Body>>>::Error;
    type Future = <GrpcConnection as Service<Request<tonic::body::Body>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        self.0.call(request.map(tonic::body::Body::new))
    }
}

fn connect(server: &Server) -> Pin<Box<dyn Future<Output = Result<Channel, BoxError>> + Send>> {
    let ServerAddress::Host { host, port } = &server.address else {
        panic!("{server:?}");
    };
    let at: SocketAddr = format!("{host}:{port}").parse().unwrap();
    Box::pin(async move { Ok(Channel::new(Connection(GrpcConnection::open(at).await?))) })
}

fn source_with(plane: &ControlPlane, options: XdsOptions) -> XdsSource {
    let uri = plane.socket().to_string();
    let server = XdsServer::new(&uri, ChannelCredentials::Insecure).unwrap();
    let bootstrap = Bootstrap::new(server, Node::new("node-1"));
    let (source, driver) = XdsSource::new(bootstrap, connect, options);
    tokio::spawn(driver);
    source
}

fn source(plane: &ControlPlane, variant: Variant) -> XdsSource {
    source_with(plane, XdsOptions::new(Dialect::Grpc).variant(variant))
}

/// Waits until a watch shows what `pick` takes.
async fn until<T>(watch: &mut ConfigWatch, mut pick: impl FnMut(&ConfigUpdate) -> Option<T>) -> T {
    let wait = async {
        loop {
            let latest = watch.latest();
            if let Some(picked) = pick(&latest) {
                return picked;
            }
            assert!(watch.changed().await, "the source is gone");
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
    waited.unwrap_or_else(|_| panic!("only this for 30 s: {watch:?}"))
}

async fn port(watch: &mut ConfigWatch, cluster: &str, port: u16) -> Arc<Snapshot> {
    until(watch, |update| match update {
        ConfigUpdate::Ready(snapshot) if ports(snapshot, cluster) == [port] => {
            Some(Arc::clone(snapshot))
        }
        _ => None,
    })
    .await
}

fn ports(snapshot: &Snapshot, cluster: &str) -> Vec<u16> {
    let Some(ClusterEntry::Ready(cluster)) = snapshot.clusters.get(cluster) else {
        return Vec::new();
    };
    let localities = cluster.endpoints.localities.iter();
    let endpoints = localities.flat_map(|locality| &locality.endpoints);
    endpoints
        .filter_map(|endpoint| match &endpoint.address {
            Address::Socket(address) => Some(address.port()),
            _ => None,
        })
        .collect()
}

fn at(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

/// `shop` sends everything to `a`, which is at port 1.
async fn shop() -> ControlPlane {
    let plane = ControlPlane::start().await;
    plane.set((
        xds::listener("shop", "routes"),
        xds::routes("routes", &[("a", 1)]),
        xds::cluster("a"),
        xds::endpoints("a", &[at(1)]),
    ));
    plane
}

#[tokio::test]
async fn a_snapshot_its_update_and_a_refused_one() {
    for variant in BOTH {
        let plane = shop().await;
        let source = source(&plane, variant);
        let mut watch = source.watch(&"shop".into());
        let first = port(&mut watch, "a", 1).await;
        plane.set(xds::endpoints("a", &[at(2)]));
        let second = port(&mut watch, "a", 2).await;
        assert!(Arc::ptr_eq(&first.routes, &second.routes));
        assert!(Arc::ptr_eq(&first.listener, &second.listener));

        plane.set(xds::endpoints("a", &[at(2)]).edit(|bad| bad.endpoints[0].locality = None));
        let reason = plane.wait_nacked(EDS, 1).await;
        assert!(reason.contains("\"a\""), "{reason}");
        let status = source.status();
        let endpoints = status.resource(ResourceType::Endpoints, "a").unwrap();
        assert_eq!(endpoints.status, Status::Nacked);
        assert!(endpoints.last_error.as_ref().unwrap().contains("node-1"));
        port(&mut watch, "a", 2).await;

        plane.set(xds::endpoints("a", &[at(3)]));
        port(&mut watch, "a", 3).await;
        plane.wait_acked(EDS).await;
    }
}

#[tokio::test]
async fn a_restarted_plane_is_found_again() {
    for variant in BOTH {
        let plane = shop().await;
        let source = source(&plane, variant);
        let mut watch = source.watch(&"shop".into());
        let before = port(&mut watch, "a", 1).await;
        plane.stop().await;
        let latest = watch.latest();
        assert!(matches!(latest, ConfigUpdate::Ready(now) if Arc::ptr_eq(&now, &before)));
        plane.set(xds::endpoints("a", &[at(2)]));
        plane.restart().await;
        port(&mut watch, "a", 2).await;
        let requests = plane.requests();
        for stream in 1..=plane.streams_total() {
            let nodes: Vec<bool> = requests
                .iter()
                .filter(|request| request.stream == stream)
                .map(|request| request.node.is_some())
                .collect();
            assert!(nodes[0], "stream {stream} is introduced");
            assert!(
                !nodes[1..].contains(&true),
                "stream {stream} is introduced once"
            );
        }
    }
}

#[tokio::test]
async fn a_connection_closed_in_peace_is_replaced() {
    for variant in BOTH {
        let plane = shop().await;
        let source = source(&plane, variant);
        let mut watch = source.watch(&"shop".into());
        port(&mut watch, "a", 1).await;
        plane.goaway();
        plane.end_streams(tonic::Status::unavailable("draining"));
        plane
            .wait_for("a second stream", |plane| plane.streams_total() >= 2)
            .await;
        plane.set(xds::endpoints("a", &[at(2)]));
        port(&mut watch, "a", 2).await;
        assert!(source.status().connection_error.is_none());
    }
}

#[test]
fn the_last_handle_ends_the_stream_and_leaves_nothing() {
    for variant in BOTH {
        assert_no_tasks_left(|| async move {
            let plane = shop().await;
            let source = source(&plane, variant);
            let mut watch = source.watch(&"shop".into());
            port(&mut watch, "a", 1).await;
            drop(source);
            plane.set(xds::endpoints("a", &[at(2)]));
            port(&mut watch, "a", 2).await;
            drop(watch);
            let kind = match variant {
                Variant::Sotw => StreamKind::Sotw,
                Variant::Delta => StreamKind::Delta,
            };
            plane
                .wait_for("the end of the stream", |plane| plane.streams(kind) == 0)
                .await;
            plane
                .wait_for("the end of the connection", |plane| {
                    plane.open_connections() == 0
                })
                .await;
        });
    }
}

#[tokio::test]
async fn a_hundred_targets_share_a_stream() {
    for variant in BOTH {
        let plane = shop().await;
        let names: Vec<String> = (0..100).map(|i| format!("t{i}")).collect();
        let listeners: Vec<_> = names
            .iter()
            .map(|name| xds::listener(name, "routes").build())
            .collect();
        plane.set(listeners);
        let source = source(&plane, variant);
        let mut watches: Vec<_> = names
            .iter()
            .map(|name| source.watch(&name.as_str().into()))
            .collect();
        let first = port(&mut watches[0], "a", 1).await;
        for watch in &mut watches {
            let snapshot = port(watch, "a", 1).await;
            assert!(Arc::ptr_eq(&snapshot.routes, &first.routes));
        }
        assert_eq!(plane.streams_total(), 1);
        drop(watches);
        plane
            .wait_for("no subscription", |plane| {
                [LDS, RDS, CDS, EDS]
                    .iter()
                    .all(|kind| plane.subscribed(kind).is_empty())
            })
            .await;
    }
}

#[tokio::test]
async fn a_thousand_clusters_start_with_a_handful_of_requests() {
    for variant in BOTH {
        let plane = ControlPlane::start().await;
        let names: Vec<String> = (0..1000).map(|i| format!("c{i}")).collect();
        let shares: Vec<(&str, u32)> = names.iter().map(|name| (name.as_str(), 1)).collect();
        let clusters: Vec<_> = names
            .iter()
            .map(|name| xds::cluster(name).build())
            .collect();
        let endpoints: Vec<_> = names
            .iter()
            .map(|name| xds::endpoints(name, &[at(1)]).build())
            .collect();
        let routes = xds::routes("routes", &shares);
        plane.set((xds::listener("big", "routes"), routes, clusters, endpoints));
        let source = source(&plane, variant);
        let mut watch = source.watch(&"big".into());
        let snapshot = port(&mut watch, "c999", 1).await;
        assert_eq!(snapshot.clusters.len(), 1000);
        plane.wait_acked(EDS).await;
        let requests = plane.requests().len();
        assert!(requests <= 10, "{variant:?}: {requests} requests");
    }
}

#[tokio::test]
async fn a_message_over_the_bound_is_named_to_who_waits() {
    for variant in BOTH {
        let counted = Bound::AdsMessage.times();
        let plane = shop().await;
        let many: Vec<SocketAddr> = (1..=1000).map(at).collect();
        plane.set(xds::endpoints("a", &many));
        let mut options = XdsOptions::new(Dialect::Grpc).variant(variant);
        options.max_message_size = 10_000;
        let source = source_with(&plane, options);
        let mut watch = source.watch(&"shop".into());
        let text = until(&mut watch, |update| match update {
            ConfigUpdate::Pending(text) if text.contains("last") => Some(Arc::clone(text)),
            _ => None,
        })
        .await;
        assert!(text.contains("ClusterLoadAssignment \"a\""), "{text}");
        assert!(
            text.contains("OutOfRange") && text.contains("10000 bytes"),
            "{text}"
        );
        assert!(Bound::AdsMessage.times() > counted);
        plane.set(xds::endpoints("a", &[at(1)]));
        port(&mut watch, "a", 1).await;
    }
}

/// gRPC's default limit is 4 MiB, which a mesh of 10,000 clusters outgrows.
#[tokio::test]
async fn a_response_of_six_mebibytes_is_taken() {
    for variant in BOTH {
        let plane = shop().await;
        let long = format!("/{}", "x".repeat(1 << 20));
        let routes = (0..6).map(|n| xds::to("a").prefix(&format!("{long}{n}")));
        let routes = xds::route_config("routes").host(&["*"], routes);
        plane.set(routes);
        let source = source(&plane, variant);
        let mut watch = source.watch(&"shop".into());
        port(&mut watch, "a", 1).await;
        plane.wait_acked(RDS).await;
        let largest = plane.responses().iter().map(|it| it.bytes).max();
        assert!(largest > Some(6 << 20), "{largest:?}");
    }
}

#[tokio::test]
async fn a_removed_listener_takes_the_configuration_away_until_it_is_back() {
    for variant in BOTH {
        let plane = shop().await;
        let source = source(&plane, variant);
        let mut watch = source.watch(&"shop".into());
        port(&mut watch, "a", 1).await;
        plane.remove(LDS, "shop");
        let text = until(&mut watch, |update| match update {
            ConfigUpdate::Absent(text) => Some(Arc::clone(text)),
            _ => None,
        })
        .await;
        assert!(
            text.contains("Listener \"shop\"") && text.contains("node-1"),
            "{text}"
        );
        plane.set(xds::listener("shop", "routes"));
        port(&mut watch, "a", 1).await;
    }
}
