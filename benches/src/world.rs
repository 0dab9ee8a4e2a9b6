//! The configurations that are measured.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use mesh_core::config::{
    Address, BackoffConfig, ClusterChoice, ClusterConfig, ConfigErrors, Dialect, Discovery,
    DomainPattern, EndpointsConfig, FilterOverrides, Forward, HeaderMatch, HeaderMatchKind,
    HeaderSource, LbPolicyConfig, LeastRequestWeights, MatchRules, RetryConditions, RetryPolicy,
    Route, RouteAction, RouteConfig, RouteMatch, Snapshot, SnapshotBuilder, StringMatch,
    StringMatchKind, VirtualHost, WeightedCluster, WeightedClusters,
};

/// The authority of every measured request.
pub const AUTHORITY: &str = "shop.test";

/// Shares of the two clusters of a weighted route.
pub const WEIGHTS: [u32; 2] = [90, 10];

/// The header that every measured request has, and that each route of the decision asks for.
pub const HEADER: (&str, &str) = ("x-user", "ann");

/// How endpoints are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lb {
    /// In turn.
    RoundRobin,
    /// The less loaded of two.
    LeastRequest,
}

impl Lb {
    fn config(self) -> LbPolicyConfig {
        match self {
            Self::RoundRobin => LbPolicyConfig::RoundRobin { weighted: false },
            Self::LeastRequest => LbPolicyConfig::LeastRequest {
                choices: 2,
                weights: LeastRequestWeights::Ignore,
            },
        }
    }
}

/// The prefix of route `index`. No prefix begins another.
#[must_use]
pub fn prefix(index: usize) -> String {
    format!("/shop.v1.Service{index:05}/")
}

/// Requests to be decided one after another: gRPC calls that differ in their paths alone. They share
/// one head otherwise, since a real one has just been read when it is decided on, whereas many would
/// be fetched from far away each time, on either side.
#[derive(Debug)]
pub struct Requests {
    method: Method,
    headers: HeaderMap,
    uris: Vec<Uri>,
}

/// One of [`Requests`].
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Where it goes.
    pub uri: &'a Uri,
}

impl Requests {
    /// One for each of these routes.
    #[must_use]
    pub fn new(routes: impl IntoIterator<Item = usize>) -> Self {
        let uri = |index| format!("http://{AUTHORITY}{}Get", prefix(index));
        let uris = routes.into_iter().map(uri);
        let headers = [
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", "bench/1.0"),
            HEADER,
            ("x-request-id", "0123456789abcdef"),
        ];
        let headers = headers.map(|(name, value)| {
            let value = HeaderValue::from_static(value);
            (HeaderName::from_static(name), value)
        });
        Self {
            method: Method::POST,
            headers: headers.into_iter().collect(),
            uris: uris.map(|uri| uri.parse().unwrap_or_default()).collect(),
        }
    }

    /// The request of that number, counted around.
    #[must_use]
    pub fn get(&self, index: usize) -> Request<'_> {
        Request {
            method: &self.method,
            headers: &self.headers,
            uri: &self.uris[index % self.uris.len()],
        }
    }
}

/// As many prefix routes with a header condition, each with a weighted choice of two clusters of as many endpoints, balanced
/// by `lb`. Nothing is ever connected to.
///
/// # Errors
/// None, unless the snapshot's rules have changed.
pub fn decision(routes: usize, endpoints: usize, lb: Lb) -> Result<Snapshot, ConfigErrors> {
    let routes = (0..routes).map(|index| {
        let mut matches = RouteMatch::prefix(prefix(index));
        matches.headers = vec![asks(HeaderName::from_static(HEADER.0), HEADER.1)];
        route(matches, Forward::to(weighted(["a", "b"])))
    });
    let mut builder = SnapshotBuilder::new("shop").routes(config(routes.collect(), Dialect::Envoy));
    for name in ["a", "b"] {
        let addresses = (0..endpoints).map(|index| {
            let [.., high, low] = index.to_be_bytes();
            Address::Socket(([10, 0, high, low], 80).into())
        });
        let mut cluster = cluster(name, addresses, Dialect::Envoy);
        cluster.lb.policy = lb.config();
        builder = builder.cluster(cluster);
    }
    builder.build()
}

/// One route to one cluster of gRPC servers, without any policy.
///
/// # Errors
/// None, unless the snapshot's rules have changed.
pub fn plain(at: &[SocketAddr], dialect: Dialect) -> Result<Snapshot, ConfigErrors> {
    SnapshotBuilder::new("shop")
        .cluster(cluster(
            "a",
            at.iter().copied().map(Address::Socket),
            dialect,
        ))
        .build()
}

/// A mesh's whole policy for gRPC: ten routes whose headers do not match, then one with two weighted
/// clusters of these servers, a retry policy and a stream deadline of 15 s.
///
/// # Errors
/// None, unless the snapshot's rules have changed.
pub fn full(at: &[SocketAddr]) -> Result<Snapshot, ConfigErrors> {
    let mut routes: Vec<_> = (0..10).map(never).collect();
    routes.push(route(RouteMatch::prefix(""), policy()));
    let mut builder = SnapshotBuilder::new("shop").routes(config(routes, Dialect::Grpc));
    for name in ["a", "b"] {
        let addresses = at.iter().copied().map(Address::Socket);
        builder = builder.cluster(cluster(name, addresses, Dialect::Grpc));
    }
    builder.build()
}

/// A route that asks for a header which no request has.
fn never(index: usize) -> Route {
    let mut matches = RouteMatch::prefix("");
    let name = HeaderName::try_from(format!("x-canary-{index}"));
    matches.headers = name.into_iter().map(|name| asks(name, "yes")).collect();
    route(matches, policy())
}

/// The condition that a header is exactly `value`.
fn asks(name: HeaderName, value: &str) -> HeaderMatch {
    HeaderMatch {
        source: HeaderSource::Header(name),
        kind: HeaderMatchKind::Text(StringMatch {
            kind: StringMatchKind::Exact(value.into()),
            ignore_case: false,
        }),
        invert: false,
        missing_as_empty: false,
    }
}

fn policy() -> Forward {
    let mut forward = Forward::to(weighted(["a", "b"]));
    forward.stream.max_stream_duration = Some(Duration::from_secs(15));
    forward.retry = Some(Arc::new(RetryPolicy {
        on: RetryConditions::GRPC_UNAVAILABLE.grpc_only(),
        status_codes: Vec::new(),
        num_retries: 2,
        per_try_timeout: None,
        backoff: BackoffConfig::default(),
    }));
    forward
}

fn weighted(names: [&str; 2]) -> ClusterChoice {
    let clusters = names
        .into_iter()
        .zip(WEIGHTS)
        .map(|(name, weight)| WeightedCluster {
            name: name.into(),
            weight,
            filter_overrides: FilterOverrides::default(),
        });
    ClusterChoice::Weighted(WeightedClusters {
        clusters: clusters.collect(),
        header_name: None,
    })
}

fn route(matches: RouteMatch, forward: Forward) -> Route {
    Route {
        name: "".into(),
        matches,
        action: RouteAction::Forward(Box::new(forward)),
        filter_overrides: FilterOverrides::default(),
    }
}

fn config(routes: Vec<Route>, dialect: Dialect) -> RouteConfig {
    let host = VirtualHost {
        name: AUTHORITY.into(),
        domains: vec![DomainPattern::from(AUTHORITY)],
        routes,
        retry: None,
        filter_overrides: FilterOverrides::default(),
    };
    RouteConfig {
        name: "routes".into(),
        virtual_hosts: vec![host],
        ignore_port: false,
        rules: MatchRules::of(dialect),
    }
}

fn cluster(
    name: &str,
    addresses: impl IntoIterator<Item = Address>,
    dialect: Dialect,
) -> ClusterConfig {
    let endpoints = Discovery::Static(Arc::new(EndpointsConfig::of(addresses)));
    ClusterConfig::new(name, endpoints, dialect)
}
