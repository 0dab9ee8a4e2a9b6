//! The configurations that are measured.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use mesh_core::{
    config::{
        Address, BackoffConfig, ClusterChoice, ClusterConfig, ClusterEntry, ConfigErrors, Dialect,
        Discovery, DomainPattern, EndpointsConfig, FaultAbort, FaultConfig, FaultDelay,
        FilterConfig, FilterKind, FilterOverrides, Forward, Fraction, HeaderMatch, HeaderMatchKind,
        HeaderSource, LbPolicyConfig, LeastRequestWeights, ListenerConfig, MatchRules, RetryBudget,
        RetryConditions, RetryPolicy, Route, RouteAction, RouteConfig, RouteMatch, Snapshot,
        SnapshotBuilder, StringMatch, StringMatchKind, VirtualHost, WeightedCluster,
        WeightedClusters,
    },
    policy::route::RouteTable,
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

/// What a request can be made to go through, one thing at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// One route to one cluster, as in [`plain`].
    Plain,
    /// Ten routes whose headers do not match, then one with two weighted clusters.
    Routes,
    /// A retry policy.
    Retry,
    /// A retry policy, and a budget for retries instead of a number.
    Budget,
    /// A stream deadline of 15 s.
    Deadline,
    /// A fault filter that does what a request's headers say, which say nothing.
    Fault,
}

/// Two clusters of these gRPC servers, the second of which `feature` alone may need.
///
/// # Errors
/// None, unless the snapshot's rules have changed.
pub fn with(feature: Feature, at: &[SocketAddr]) -> Result<Snapshot, ConfigErrors> {
    let mut forward = Forward::to(ClusterChoice::Single("a".into()));
    let mut routes = Vec::new();
    match feature {
        Feature::Plain | Feature::Fault => {}
        Feature::Routes => {
            forward = Forward::to(weighted(["a", "b"]));
            routes = (0..10).map(|index| never(index, forward.clone())).collect();
        }
        Feature::Retry | Feature::Budget => forward.retry = Some(Arc::new(retry())),
        Feature::Deadline => forward.stream.max_stream_duration = Some(Duration::from_secs(15)),
    }
    routes.push(route(RouteMatch::prefix(""), forward));
    let mut listener = ListenerConfig::new("shop");
    if feature == Feature::Fault {
        listener.filters = vec![idle_fault()];
    }
    let mut builder = SnapshotBuilder::new("shop")
        .listener(listener)
        .routes(config(routes, Dialect::Grpc));
    for name in ["a", "b"] {
        let addresses = at.iter().copied().map(Address::Socket);
        let mut cluster = cluster(name, addresses, Dialect::Grpc);
        if feature == Feature::Budget {
            cluster.limits.retry_budget = Some(RetryBudget {
                share: Fraction::new(20, 100),
                min_concurrency: 3,
            });
        }
        builder = builder.cluster(cluster);
    }
    builder.build()
}

fn idle_fault() -> FilterConfig {
    let fault = FaultConfig {
        delay: Some((FaultDelay::Header { denominator: 100 }, Fraction::ONE)),
        abort: Some((FaultAbort::Header { denominator: 100 }, Fraction::ONE)),
        ..FaultConfig::default()
    };
    FilterConfig {
        name: "fault".into(),
        kind: FilterKind::Fault(Arc::new(fault)),
        disabled: false,
    }
}

/// What changes from one snapshot to the next, and among how many others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// One endpoint of one cluster of 10,000.
    Endpoint,
    /// All of them.
    Endpoints,
    /// One endpoint of one of 1,000 clusters of ten.
    EndpointOfMany,
    /// The routes to those clusters.
    Routes,
}

impl Change {
    /// All there are.
    pub const ALL: [Self; 4] = [
        Self::Endpoint,
        Self::Endpoints,
        Self::EndpointOfMany,
        Self::Routes,
    ];

    /// How many clusters there are, with a route to each.
    #[must_use]
    pub const fn clusters(self) -> usize {
        match self {
            Self::Endpoint | Self::Endpoints => 1,
            Self::EndpointOfMany | Self::Routes => 1_000,
        }
    }
}

/// Two snapshots of 10,000 endpoints that differ in `change` and share all else.
///
/// # Errors
/// None, unless the snapshot's rules have changed.
pub fn changing(change: Change) -> Result<[Snapshot; 2], ConfigErrors> {
    let count = change.clusters();
    let each = 10_000 / count;
    let addresses = |cluster: usize, first: usize| {
        (first..first + each).map(move |place| {
            let [.., high, low] = (cluster * each + place).to_be_bytes();
            Address::Socket(([10, 0, high, low], 80).into())
        })
    };
    let table = |routes| config(routes, Dialect::Envoy);
    let routes: Vec<_> = (0..count).map(to_cluster).collect();
    let mut builder = SnapshotBuilder::new("shop").routes(table(routes.clone()));
    for index in 0..count {
        let cluster = cluster(&name(index), addresses(index, 0), Dialect::Envoy);
        builder = builder.cluster(cluster);
    }
    let one = builder.build()?;
    let mut other = one.clone();
    let shift = match change {
        Change::Endpoint | Change::EndpointOfMany => 1,
        Change::Endpoints => each,
        Change::Routes => {
            let reversed = routes.into_iter().rev().collect();
            other.routes = Arc::new(RouteTable::compile(table(reversed)));
            0
        }
    };
    let last = count - 1;
    if shift > 0
        && let Some(ClusterEntry::Ready(cluster)) = other.clusters.get_mut(&name(last))
    {
        cluster.endpoints = Arc::new(EndpointsConfig::of(addresses(last, shift)));
    }
    Ok([one, other])
}

fn name(index: usize) -> String {
    format!("cluster-{index}")
}

fn to_cluster(index: usize) -> Route {
    let forward = Forward::to(ClusterChoice::Single(name(index).as_str().into()));
    route(RouteMatch::prefix(prefix(index)), forward)
}

/// A route that asks for a header which no request has.
fn never(index: usize, forward: Forward) -> Route {
    let mut matches = RouteMatch::prefix("");
    let name = HeaderName::try_from(format!("x-canary-{index}"));
    matches.headers = name.into_iter().map(|name| asks(name, "yes")).collect();
    route(matches, forward)
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

fn retry() -> RetryPolicy {
    RetryPolicy {
        on: RetryConditions::GRPC_UNAVAILABLE.grpc_only(),
        status_codes: Vec::new(),
        num_retries: 2,
        per_try_timeout: None,
        backoff: BackoffConfig::default(),
    }
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
        action: RouteAction::Forward(Arc::new(forward)),
        filter_overrides: FilterOverrides::default(),
    }
}

fn config(routes: Vec<Route>, dialect: Dialect) -> RouteConfig {
    let host = VirtualHost {
        name: AUTHORITY.into(),
        domains: vec![DomainPattern::from(AUTHORITY)],
        routes: routes.into_iter().map(Arc::new).collect(),
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
