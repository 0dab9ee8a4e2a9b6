//! A control plane that does what the test says, spoken to without a network.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::Stream;
use mesh_core::{
    config::{Dialect, Snapshot},
    server::{ChannelCredentials, Server},
    source::{ConfigUpdate, ConfigWatch},
};
use mesh_proto::{
    Any, TypeUrl,
    envoy::{
        config::{
            cluster::v3::{
                Cluster,
                cluster::{ClusterDiscoveryType, DiscoveryType, EdsClusterConfig},
            },
            core::v3::{
                Address, AggregatedConfigSource, ApiVersion, ConfigSource, Locality, SocketAddress,
                address::Address as AddressKind, config_source::ConfigSourceSpecifier,
                socket_address::PortSpecifier,
            },
            endpoint::v3::{
                ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints,
                lb_endpoint::HostIdentifier,
            },
            listener::v3::{ApiListener, Listener},
            route::v3::{
                Route, RouteAction, RouteConfiguration, RouteMatch, VirtualHost, route::Action,
                route_action::ClusterSpecifier, route_match::PathSpecifier,
            },
        },
        extensions::filters::{
            http::router::v3::Router,
            network::http_connection_manager::v3::{
                HttpConnectionManager, HttpFilter, Rds, http_connection_manager::RouteSpecifier,
                http_filter::ConfigType,
            },
        },
        service::discovery::v3::{
            DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
            Resource,
            aggregated_discovery_service_server::{
                AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
            },
        },
    },
};
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, Streaming};

use crate::{
    XdsDriver, XdsOptions, XdsSource,
    bootstrap::{Bootstrap, Node, XdsServer},
    driver::{BoxError, Channel, Connector},
    protocol::Variant,
    resource::ResourceType,
};

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The plane's end of a stream.
pub(super) struct Conversation<Q, A> {
    requests: Streaming<Q>,
    responses: mpsc::Sender<Result<A, Status>>,
}

pub(super) type Sotw = Conversation<DiscoveryRequest, DiscoveryResponse>;
pub(super) type Delta = Conversation<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;

/// Takes streams for the test.
pub(super) struct Plane {
    pub(super) sotw: mpsc::Receiver<Sotw>,
    pub(super) delta: mpsc::Receiver<Delta>,
    pub(super) up: Arc<AtomicBool>,
    service: Service,
}

#[derive(Clone)]
struct Service {
    sotw: mpsc::Sender<Sotw>,
    delta: mpsc::Sender<Delta>,
}

impl Plane {
    pub(super) fn new() -> Self {
        let (to_sotw, sotw) = mpsc::channel(16);
        let (to_delta, delta) = mpsc::channel(16);
        Self {
            sotw,
            delta,
            up: Arc::new(AtomicBool::new(true)),
            service: Service {
                sotw: to_sotw,
                delta: to_delta,
            },
        }
    }

    /// A source of these planes, the first one preferred, whose driver runs.
    pub(super) fn source_of(planes: &[&Self], variant: Variant) -> XdsSource {
        let uri = |i: usize| format!("plane{i}.test:1");
        let server = |i| XdsServer::new(&uri(i), ChannelCredentials::Insecure).unwrap();
        let first = Bootstrap::new(server(0), Node::new("node-1"));
        let bootstrap = (1..planes.len()).fold(first, |all, i| all.with_fallback(server(i)));
        let connectors: Vec<_> = planes.iter().map(|plane| plane.connector()).collect();
        let connector = move |server: &Server| {
            let i = (0..connectors.len()).find(|i| *server.uri == uri(*i));
            connectors[i.unwrap()].connect(server)
        };
        let options = XdsOptions::new(Dialect::Grpc).variant(variant);
        let (source, driver) = XdsSource::new(bootstrap, connector, options);
        tokio::spawn(driver);
        source
    }

    pub(super) fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::SeqCst);
    }

    /// A connector to this plane, refused while it is down.
    pub(super) fn connector(&self) -> impl Connector + use<> {
        let (service, up) = (self.service.clone(), Arc::clone(&self.up));
        move |_: &Server| -> Pin<Box<dyn Future<Output = Result<Channel, BoxError>> + Send>> {
            let (service, up) = (service.clone(), Arc::clone(&up));
            Box::pin(async move {
                if !up.load(Ordering::SeqCst) {
                    return Err("connection refused".into());
                }
                Ok(Channel::new(AggregatedDiscoveryServiceServer::new(service)))
            })
        }
    }

    /// A source of this plane whose driver runs.
    pub(super) fn source(&self, variant: Variant) -> XdsSource {
        let (source, driver) = self.source_and_driver(variant);
        tokio::spawn(driver);
        source
    }

    pub(super) fn source_and_driver(&self, variant: Variant) -> (XdsSource, XdsDriver) {
        let server = XdsServer::new("plane.test:1", ChannelCredentials::Insecure).unwrap();
        let bootstrap = Bootstrap::new(server, Node::new("node-1"));
        let options = XdsOptions::new(Dialect::Grpc).variant(variant);
        XdsSource::new(bootstrap, self.connector(), options)
    }
}

#[tonic::async_trait]
impl AggregatedDiscoveryService for Service {
    type StreamAggregatedResourcesStream = Responses<DiscoveryResponse>;
    type DeltaAggregatedResourcesStream = Responses<DeltaDiscoveryResponse>;

    async fn stream_aggregated_resources(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamAggregatedResourcesStream>, Status> {
        Ok(Response::new(accept(&self.sotw, request).await?))
    }

    async fn delta_aggregated_resources(
        &self,
        request: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaAggregatedResourcesStream>, Status> {
        Ok(Response::new(accept(&self.delta, request).await?))
    }
}

async fn accept<Q, A: Send + 'static>(
    to: &mpsc::Sender<Conversation<Q, A>>,
    request: Request<Streaming<Q>>,
) -> Result<Responses<A>, Status> {
    let (responses, queue) = mpsc::channel(64);
    let conversation = Conversation {
        requests: request.into_inner(),
        responses,
    };
    let accepted = to.send(conversation).await;
    accepted.map_err(|_| Status::unavailable("nobody listens"))?;
    Ok(Box::pin(tokio_stream::wrappers::ReceiverStream::new(queue)))
}

/// How long a test waits for what must happen; virtual time, so that it costs nothing.
const PATIENCE: Duration = Duration::from_secs(3600);

pub(super) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("nothing happened for an hour")
}

impl<Q: Send + 'static, A> Conversation<Q, A> {
    /// The next request.
    pub(super) async fn request(&mut self) -> Q {
        let request = soon(self.requests.message()).await;
        request
            .expect("the client keeps the stream")
            .expect("the client asks")
    }

    /// Waits for the client to end the stream.
    pub(super) async fn ended(&mut self) {
        soon(async { while let Ok(Some(_)) = self.requests.message().await {} }).await;
    }

    pub(super) async fn send(&self, response: A) {
        let sent = self.responses.send(Ok(response)).await;
        sent.expect("the client keeps the stream");
    }

    pub(super) async fn fail(self, status: Status) {
        let _ = self.responses.send(Err(status)).await;
    }
}

impl Sotw {
    /// The next request, which must be for this type.
    pub(super) async fn asked(&mut self, kind: ResourceType) -> DiscoveryRequest {
        let request = self.request().await;
        assert_eq!(request.type_url, kind.type_url(), "{request:?}");
        request
    }

    pub(super) async fn answer<M: TypeUrl + prost::Message>(
        &self,
        version: &str,
        resources: Vec<M>,
    ) {
        let resources = resources.iter().map(Any::pack);
        self.send(DiscoveryResponse {
            type_url: M::TYPE_URL.into(),
            version_info: version.into(),
            nonce: format!("nonce-{version}"),
            resources: resources.collect(),
            ..Default::default()
        })
        .await;
    }
}

impl Delta {
    /// The next request, which must be for this type.
    pub(super) async fn asked(&mut self, kind: ResourceType) -> DeltaDiscoveryRequest {
        let request = self.request().await;
        assert_eq!(request.type_url, kind.type_url(), "{request:?}");
        request
    }

    pub(super) async fn answer<M: TypeUrl + prost::Message>(
        &self,
        version: &str,
        resources: Vec<(&str, M)>,
        removed: &[&str],
    ) {
        let wrap = |(name, message): &(&str, M)| Resource {
            name: (*name).into(),
            version: version.into(),
            resource: Some(Any::pack(message)),
            ..Default::default()
        };
        self.send(DeltaDiscoveryResponse {
            type_url: M::TYPE_URL.into(),
            nonce: format!("nonce-{version}"),
            resources: resources.iter().map(wrap).collect(),
            removed_resources: removed.iter().map(|name| (*name).to_owned()).collect(),
            ..Default::default()
        })
        .await;
    }
}

/// Waits until a watch shows what `pick` takes.
pub(super) async fn until<T>(
    watch: &mut ConfigWatch,
    mut pick: impl FnMut(ConfigUpdate) -> Option<T>,
) -> T {
    soon(async {
        loop {
            if let Some(picked) = pick(watch.latest()) {
                return picked;
            }
            assert!(watch.changed().await, "the source is gone");
        }
    })
    .await
}

pub(super) async fn ready(watch: &mut ConfigWatch) -> Arc<Snapshot> {
    until(watch, |update| match update {
        ConfigUpdate::Ready(snapshot) => Some(snapshot),
        _ => None,
    })
    .await
}

pub(super) async fn pending_with(watch: &mut ConfigWatch, part: &str) -> Arc<str> {
    until(watch, |update| match update {
        ConfigUpdate::Pending(text) if text.contains(part) => Some(text),
        _ => None,
    })
    .await
}

pub(super) async fn absent(watch: &mut ConfigWatch) -> Arc<str> {
    until(watch, |update| match update {
        ConfigUpdate::Absent(text) => Some(text),
        _ => None,
    })
    .await
}

pub(super) fn ads() -> Option<ConfigSource> {
    Some(ConfigSource {
        resource_api_version: ApiVersion::V3.into(),
        config_source_specifier: Some(ConfigSourceSpecifier::Ads(AggregatedConfigSource {})),
        ..Default::default()
    })
}

/// A listener whose routes are this RouteConfiguration.
pub(super) fn listener(name: &str, routes: &str) -> Listener {
    let manager = HttpConnectionManager {
        http_filters: vec![HttpFilter {
            name: "router".into(),
            config_type: Some(ConfigType::TypedConfig(Any::pack(&Router::default()))),
            ..Default::default()
        }],
        route_specifier: Some(RouteSpecifier::Rds(Rds {
            config_source: ads(),
            route_config_name: routes.into(),
        })),
        ..Default::default()
    };
    Listener {
        name: name.into(),
        api_listener: Some(ApiListener {
            api_listener: Some(Any::pack(&manager)),
        }),
        ..Default::default()
    }
}

/// Routes with a prefix for each cluster.
pub(super) fn routes<'a>(
    name: &str,
    clusters: impl IntoIterator<Item = &'a str>,
) -> RouteConfiguration {
    let route = |cluster: &str| Route {
        r#match: Some(RouteMatch {
            path_specifier: Some(PathSpecifier::Prefix(format!("/{cluster}"))),
            ..Default::default()
        }),
        action: Some(Action::Route(RouteAction {
            cluster_specifier: Some(ClusterSpecifier::Cluster(cluster.into())),
            ..Default::default()
        })),
        ..Default::default()
    };
    RouteConfiguration {
        name: name.into(),
        virtual_hosts: vec![VirtualHost {
            name: "all".into(),
            domains: vec!["*".into()],
            routes: clusters.into_iter().map(route).collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

pub(super) fn cluster(name: &str) -> Cluster {
    Cluster {
        name: name.into(),
        cluster_discovery_type: Some(ClusterDiscoveryType::Type(DiscoveryType::Eds.into())),
        eds_cluster_config: Some(EdsClusterConfig {
            eds_config: ads(),
            service_name: format!("{name}-eds"),
        }),
        ..Default::default()
    }
}

pub(super) fn endpoints(cluster: &str, ports: &[u16]) -> ClusterLoadAssignment {
    let endpoint = |port: &u16| LbEndpoint {
        host_identifier: Some(HostIdentifier::Endpoint(Endpoint {
            address: Some(Address {
                address: Some(AddressKind::SocketAddress(SocketAddress {
                    address: "127.0.0.1".into(),
                    port_specifier: Some(PortSpecifier::PortValue((*port).into())),
                    ..Default::default()
                })),
            }),
            ..Default::default()
        })),
        ..Default::default()
    };
    ClusterLoadAssignment {
        cluster_name: format!("{cluster}-eds"),
        endpoints: vec![LocalityLbEndpoints {
            lb_endpoints: ports.iter().map(endpoint).collect(),
            locality: Some(Locality::default()),
            load_balancing_weight: Some(1),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// The ports of a cluster's endpoints in a snapshot.
pub(super) fn ports(snapshot: &Snapshot, cluster: &str) -> Vec<u16> {
    use mesh_core::config::{Address, ClusterEntry};
    let ClusterEntry::Ready(cluster) = &snapshot.clusters[cluster] else {
        panic!("{:?}", snapshot.clusters[cluster]);
    };
    let localities = cluster.endpoints.localities.iter();
    let addresses = localities.flat_map(|locality| &locality.endpoints);
    addresses
        .map(|endpoint| match &endpoint.address {
            Address::Socket(address) => address.port(),
            other => panic!("{other:?}"),
        })
        .collect()
}
