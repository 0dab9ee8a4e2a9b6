//! What the simulated control planes have to say, and what a target must make of it.

use std::{collections::BTreeMap, time::Duration};

use mesh_core::{
    config::{Address, ClusterEntry, Dialect, Snapshot},
    source::ConfigUpdate,
};
use mesh_proto::{
    Any,
    envoy::config::{
        core::v3::{SocketAddress, address::Address as Place, socket_address::PortSpecifier},
        endpoint::v3::lb_endpoint::HostIdentifier,
    },
};
use mesh_testkit::xds;

use crate::resource::ResourceType::{self, Cluster, Endpoints, Listener, RouteConfig};

pub(super) type Key = (ResourceType, String);

pub(super) const TARGETS: [&str; 4] = ["t0", "t1", "t2", "t3"];
const ROUTES: [&str; 3] = ["r0", "r1", "r2"];
const CLUSTERS: [&str; 5] = ["c0", "c1", "c2", "c3", "c4"];
const SERVICES: [&str; 4] = ["s0", "s1", "s2", "s3"];

/// One version of a resource.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Content {
    pub(super) body: Body,
    /// Tells versions apart: a listener's time limit, the name of a route, a cluster's
    /// limit of requests, an endpoint's port.
    pub(super) number: u16,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    /// It refers to these: a listener to its routes, routes to clusters, a cluster to its endpoints.
    To(Vec<String>),
    /// It holds them itself: a listener its routes to these clusters, a cluster its endpoint.
    Inline(Vec<String>),
    /// It must be refused.
    Bad,
}

impl Content {
    pub(super) fn draw(
        random: &mut fastrand::Rng,
        number: u16,
        kind: ResourceType,
        dialect: Dialect,
    ) -> Self {
        let mut some = |names: &[&str], most: usize| -> Vec<String> {
            let count = random.usize(1..=most);
            let names = random.choose_multiple(names.iter(), count);
            names.into_iter().map(|name| (*name).to_owned()).collect()
        };
        let to = match kind {
            Listener => some(&ROUTES, 1),
            RouteConfig => some(&CLUSTERS, 4),
            Cluster => some(&SERVICES, 1),
            Endpoints => Vec::new(),
        };
        let clusters = some(&CLUSTERS, 2);
        let body = match (random.u8(..10), kind) {
            (0 | 1, _) => Body::Bad,
            (2, Listener) => Body::Inline(clusters),
            // Dialect grpc knows no clusters of type STATIC.
            (2, Cluster) if dialect == Dialect::Envoy => Body::Inline(Vec::new()),
            _ => Body::To(to),
        };
        Self { body, number }
    }

    pub(super) const fn bad(number: u16) -> Self {
        let body = Body::Bad;
        Self { body, number }
    }

    pub(super) const fn is_bad(&self) -> bool {
        matches!(self.body, Body::Bad)
    }
}

pub(super) fn draw_key(random: &mut fastrand::Rng) -> Key {
    let kind = ResourceType::ALL[random.usize(..4)];
    let names: &[&str] = match kind {
        Listener => &TARGETS,
        RouteConfig => &ROUTES,
        Cluster => &CLUSTERS,
        Endpoints => &SERVICES,
    };
    (kind, names[random.usize(..names.len())].to_owned())
}

/// The resource as it is sent.
pub(super) fn render(kind: ResourceType, name: &str, content: &Content) -> Any {
    let number = content.number;
    match kind {
        Listener => listener(name, content),
        RouteConfig => {
            let routes: xds::RouteConfigBuilder = match &content.body {
                Body::To(clusters) => routes(name, clusters, number),
                // Few enough texts that some are refused twice in a row for the same reason.
                _ => xds::route_config(name)
                    .host(&["*"], [xds::to("c0").regex(&format!("({}", number % 3))]),
            };
            Any::pack(&routes.build())
        }
        Cluster => {
            let cluster = xds::cluster(name).max_requests(number.into());
            let cluster = match &content.body {
                Body::To(service) => cluster.endpoints_from(&service[0]),
                Body::Inline(_) => cluster.fixed(endpoints(name, number)),
                Body::Bad => cluster.edit(|cluster| cluster.eds_cluster_config = None),
            };
            Any::pack(&cluster.build())
        }
        Endpoints => {
            let endpoints = endpoints(name, number);
            let endpoints = match content.is_bad() {
                true => endpoints.edit(|all| {
                    let locality = all.endpoints.first_mut().expect("one");
                    let endpoint = locality.lb_endpoints.first_mut().expect("one");
                    endpoint.host_identifier = Some(HostIdentifier::Endpoint(no_port()));
                }),
                false => endpoints,
            };
            Any::pack(&endpoints.build())
        }
    }
}

fn listener(name: &str, content: &Content) -> Any {
    let limit = Duration::from_secs(content.number.into());
    let listener = match &content.body {
        Body::To(routes) => xds::listener(name, &routes[0]),
        Body::Inline(clusters) => {
            xds::listener(name, "").inline(routes(name, clusters, content.number))
        }
        Body::Bad => xds::listener(name, "").edit(|manager| manager.route_specifier = None),
    };
    Any::pack(&listener.max_stream_duration(limit).build())
}

fn routes(name: &str, clusters: &[String], number: u16) -> xds::RouteConfigBuilder {
    let route = |cluster: &String| {
        let route = xds::to(cluster).prefix(&format!("/{cluster}"));
        route.name(&number.to_string())
    };
    xds::route_config(name).host(&["*"], clusters.iter().map(route))
}

fn endpoints(name: &str, number: u16) -> xds::EndpointsBuilder {
    xds::endpoints(name, &[([127, 0, 0, 1], number).into()])
}

fn no_port() -> mesh_proto::envoy::config::endpoint::v3::Endpoint {
    let address = SocketAddress {
        address: "127.0.0.1".into(),
        port_specifier: Some(PortSpecifier::PortValue(70_000)),
        ..Default::default()
    };
    mesh_proto::envoy::config::endpoint::v3::Endpoint {
        address: Some(mesh_proto::envoy::config::core::v3::Address {
            address: Some(Place::SocketAddress(address)),
        }),
        ..Default::default()
    }
}

/// The last good version of everything that is subscribed to.
pub(super) type Held = BTreeMap<Key, Option<Content>>;

/// What a target comes to: all that it needs, and what its watches see, as [`brief`] puts it.
#[derive(Debug, Default)]
pub(super) struct Expected {
    pub(super) needs: Vec<Key>,
    pub(super) sees: String,
}

impl Expected {
    pub(super) fn of(target: &str, held: &Held) -> Self {
        let mut expected = Self::default();
        expected.sees = expected
            .read(target, held)
            .unwrap_or_else(|| "absent".to_owned());
        expected
    }

    fn take<'h>(&mut self, kind: ResourceType, name: &str, held: &'h Held) -> Option<&'h Content> {
        let key = (kind, name.to_owned());
        let content = held.get(&key).and_then(Option::as_ref);
        self.needs.push(key);
        content
    }

    /// `None` where the listener or its routes are missing.
    fn read(&mut self, target: &str, held: &Held) -> Option<String> {
        let listener = self.take(Listener, target, held)?;
        let (clusters, number) = match &listener.body {
            Body::To(routes) => {
                let routes = self.take(RouteConfig, &routes[0], held)?;
                let Body::To(clusters) = &routes.body else {
                    panic!("a bad one is not held");
                };
                (clusters, routes.number)
            }
            Body::Inline(clusters) => (clusters, listener.number),
            Body::Bad => panic!("a bad one is not held"),
        };
        let mut clusters = clusters.clone();
        clusters.sort_unstable();
        let mut text = format!("{}s #{number}", listener.number);
        for name in clusters {
            let cluster = match self.take(Cluster, &name, held) {
                None => "unavailable".to_owned(),
                Some(cluster) => {
                    let ports = match &cluster.body {
                        Body::Inline(_) => vec![cluster.number],
                        Body::To(service) => {
                            let endpoints = self.take(Endpoints, &service[0], held);
                            endpoints.map(|it| it.number).into_iter().collect()
                        }
                        Body::Bad => panic!("a bad one is not held"),
                    };
                    format!("{}{ports:?}", cluster.number)
                }
            };
            text.push_str(&format!(" {name}={cluster}"));
        }
        Some(text)
    }
}

/// What a watch sees, in short.
pub(super) fn brief(update: &ConfigUpdate) -> String {
    match update {
        ConfigUpdate::Pending(_) => "pending".to_owned(),
        ConfigUpdate::Absent(_) => "absent".to_owned(),
        ConfigUpdate::Ready(snapshot) => brief_snapshot(snapshot),
    }
}

fn brief_snapshot(snapshot: &Snapshot) -> String {
    let route = &snapshot.routes.routes()[0];
    let forward = route.forward().expect("no route refuses");
    let limit = forward.stream.max_stream_duration.unwrap_or_default();
    let mut text = format!("{}s #{}", limit.as_secs(), route.route.name);
    let mut clusters: Vec<_> = snapshot.clusters.iter().collect();
    clusters.sort_unstable_by_key(|(name, _)| *name);
    for (name, entry) in clusters {
        let cluster = match entry {
            ClusterEntry::Unavailable(_) => "unavailable".to_owned(),
            ClusterEntry::Ready(cluster) => {
                let limit = cluster.config.limits.max_requests;
                format!("{limit}{:?}", ports(entry))
            }
        };
        text.push_str(&format!(" {name}={cluster}"));
    }
    text
}

/// The ports of a cluster's endpoints.
pub(super) fn ports(entry: &ClusterEntry) -> Vec<u16> {
    let ClusterEntry::Ready(cluster) = entry else {
        return Vec::new();
    };
    let localities = cluster.endpoints.localities.iter();
    let endpoints = localities.flat_map(|locality| &locality.endpoints);
    let port = |address: &Address| match address {
        Address::Socket(address) => address.port(),
        other => panic!("{other:?}"),
    };
    endpoints.map(|endpoint| port(&endpoint.address)).collect()
}
