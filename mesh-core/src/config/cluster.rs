//! Clusters: how a group of endpoints is found, reached, balanced and limited.

use std::{sync::Arc, time::Duration};

use serde::Serialize;

use super::{Dialect, EndpointsConfig};
use crate::name::ClusterName;

/// A Cluster resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClusterConfig {
    /// The resource's name.
    pub name: ClusterName,
    /// Where its endpoints come from.
    pub discovery: Discovery,
    /// What its connections speak.
    pub protocol: Protocol,
    /// What its connections are wrapped in.
    pub transport: Transport,
    /// How long a connection may take to be made. Default 5 s (Envoy); dialect grpc ignores the
    /// field and uses gRPC's 20 s.
    pub connect_timeout: Duration,
    /// How long a connection without requests is kept. Default 1 h; `None`: for ever.
    pub idle_timeout: Option<Duration>,
    /// How many requests a connection may carry in its life. `None`: any number.
    pub max_requests_per_connection: Option<u32>,
    /// How an endpoint is chosen.
    pub lb: LbConfig,
    /// How much may be under way at once.
    pub limits: Limits,
}

impl ClusterConfig {
    /// A cluster of that name with its dialect's defaults.
    pub fn new(name: impl Into<ClusterName>, discovery: Discovery, dialect: Dialect) -> Self {
        Self {
            name: name.into(),
            discovery,
            protocol: match dialect {
                Dialect::Grpc => Protocol::Http2(Http2Config::default()),
                Dialect::Envoy => Protocol::Http1(Http1Config::default()),
            },
            transport: Transport::Plaintext,
            connect_timeout: match dialect {
                Dialect::Grpc => Duration::from_secs(20),
                Dialect::Envoy => Duration::from_secs(5),
            },
            idle_timeout: Some(Duration::from_secs(3600)),
            max_requests_per_connection: None,
            lb: LbConfig::of(dialect),
            limits: Limits::of(dialect),
        }
    }

    /// How its endpoints are spoken to.
    #[must_use]
    pub fn identity(&self) -> ClusterIdentity {
        ClusterIdentity {
            name: self.name.clone(),
            protocol: self.protocol,
            transport: self.transport.clone(),
            connect_timeout: self.connect_timeout,
            idle_timeout: self.idle_timeout,
            max_requests_per_connection: self.max_requests_per_connection,
        }
    }

    /// Whether live state (connections, limits, load) may be carried from `other` to this one: the
    /// endpoints would still be spoken to in the same way.
    #[must_use]
    pub fn same_identity(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.identity() == other.identity()
    }
}

/// The part of a cluster's configuration that its connections depend on. Connections and their
/// states are shared between all that agree on it, and by nobody else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClusterIdentity {
    name: ClusterName,
    protocol: Protocol,
    transport: Transport,
    connect_timeout: Duration,
    idle_timeout: Option<Duration>,
    max_requests_per_connection: Option<u32>,
}

/// Where a cluster's endpoints come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Discovery {
    /// From EDS, under this service name.
    Eds(Arc<str>),
    /// Written in the resource.
    Static(Arc<EndpointsConfig>),
    /// By resolving a name. All addresses are endpoints (STRICT_DNS), or one is (LOGICAL_DNS).
    Dns {
        /// Host names or addresses with ports, as written.
        hosts: Vec<(Arc<str>, u16)>,
        /// LOGICAL_DNS: all addresses stand for one endpoint.
        logical: bool,
    },
    /// From other clusters, in order of preference (gRFC A37).
    Aggregate(Vec<ClusterName>),
    /// From the connection's original destination.
    OriginalDst,
}

/// What a cluster's connections speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1(Http1Config),
    /// HTTP/2 with prior knowledge.
    Http2(Http2Config),
}

/// HTTP/1.1 to the endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Http1Config {}

impl Http1Config {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

/// HTTP/2 to the endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Http2Config {
    /// Streams on one connection at most, whatever the peer would allow. Default 1024 (Envoy).
    pub max_concurrent_streams: u32,
    /// Bytes a stream may send us before we have read them. Default 16 MiB (Envoy).
    pub initial_stream_window: u32,
    /// Bytes a connection may send us before we have read them. Default 24 MiB (Envoy).
    pub initial_connection_window: u32,
    /// How often a connection is asked whether it lives. Default: never.
    pub keepalive_interval: Option<Duration>,
    /// How long its answer may take. Default 20 s.
    pub keepalive_timeout: Duration,
}

impl Default for Http2Config {
    fn default() -> Self {
        Self {
            max_concurrent_streams: 1024,
            initial_stream_window: 16 << 20,
            initial_connection_window: 24 << 20,
            keepalive_interval: None,
            keepalive_timeout: Duration::from_secs(20),
        }
    }
}

/// What a cluster's connections are wrapped in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Transport {
    /// Nothing.
    Plaintext,
    /// Something we cannot do, named here. Connections are refused, never made in plaintext.
    Unsupported(Arc<str>),
}

/// How an endpoint is chosen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LbConfig {
    /// Among the endpoints of one locality, or of one priority.
    pub policy: LbPolicyConfig,
    /// Whether localities share by weight or are one.
    pub locality: LocalityMode,
    /// When a lower priority takes over.
    pub failover: Failover,
    /// Which endpoints may be picked, by the state of their connections.
    pub readiness: Readiness,
}

impl LbConfig {
    /// Round robin with its dialect's rules.
    #[must_use]
    pub const fn of(dialect: Dialect) -> Self {
        match dialect {
            // ROUND_ROBIN is wrr_locality(round_robin) (gRFC A52), and endpoint weights do not
            // count in it.
            Dialect::Grpc => Self {
                policy: LbPolicyConfig::RoundRobin { weighted: false },
                locality: LocalityMode::Weighted,
                failover: Failover::Ready {
                    timeout: Failover::GRPC_TIMEOUT,
                },
                readiness: Readiness::ConnectFirst,
            },
            Dialect::Envoy => Self {
                policy: LbPolicyConfig::RoundRobin { weighted: true },
                locality: LocalityMode::Ignore,
                failover: Failover::Spill {
                    panic_threshold: 50,
                    fail_on_panic: false,
                },
                readiness: Readiness::OnDemand,
            },
        }
    }
}

/// How an endpoint is chosen among its equals: everything that xDS can say and we can do, and what
/// it can say and we cannot, which leaves the cluster unavailable with its reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum LbPolicyConfig {
    /// In turn; by endpoint weight if `weighted`.
    RoundRobin {
        /// Whether endpoint weights count.
        weighted: bool,
    },
    /// The less loaded of some random ones.
    LeastRequest {
        /// How many are compared; 2 to 10, default 2.
        choices: u32,
        /// What unequal endpoint weights do.
        weights: LeastRequestWeights,
    },
    /// Any, all equally likely whatever their weights.
    Random,
    /// One that xDS can say and we cannot do, by name.
    Unsupported(Arc<str>),
}

/// What unequal endpoint weights do to least request.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum LeastRequestWeights {
    /// Nothing (gRFC A48).
    Ignore,
    /// Endpoints take turns on a schedule of `weight / (active + 1)^bias` (Envoy). Default 1.
    Schedule {
        /// How strongly load counts; 0 makes it a weighted round robin.
        bias: f64,
    },
}

/// What localities do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum LocalityMode {
    /// Nothing: the endpoints of a priority are one pool.
    Ignore,
    /// They share a priority's requests by their weights; one without a weight gets none.
    Weighted,
}

/// When a lower priority gets requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Failover {
    /// As much as the higher ones lack in healthy endpoints, times the overprovisioning factor
    /// (Envoy, "priority levels" and "panic threshold").
    Spill {
        /// Percent of available endpoints below which health is ignored; 0: never.
        panic_threshold: u8,
        /// Fail instead of ignoring health.
        fail_on_panic: bool,
    },
    /// All, once the higher ones have no endpoint that is ready or may still become so in time
    /// (gRFC A56).
    Ready {
        /// How long a priority may take to connect. Default 10 s.
        timeout: Duration,
    },
}

impl Failover {
    /// gRFC A56's failover timer.
    pub const GRPC_TIMEOUT: Duration = Duration::from_secs(10);
}

/// Which endpoints may be picked, by the state of their connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Readiness {
    /// Only connected ones; every endpoint of the priority in use is connected beforehand and again
    /// after each loss (gRPC's round_robin and least_request).
    ConnectFirst,
    /// Any whose last attempt to connect has not just failed; connected when first picked (Envoy,
    /// but for the back-off).
    OnDemand,
}

/// How much may be under way in a cluster at once (Envoy's circuit breakers, priority DEFAULT;
/// gRFC A32 reads `max_requests` alone).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Connections. Default 1024; HTTP/1 counts most.
    pub max_connections: u32,
    /// Requests that wait for a connection. Default 1024.
    pub max_pending_requests: u32,
    /// Requests, waiting ones included. Default 1024.
    pub max_requests: u32,
    /// Retries, unless there is a budget. Default 3 (Envoy); dialect grpc has no limit.
    pub max_retries: u32,
    /// Replaces `max_retries`.
    pub retry_budget: Option<RetryBudget>,
}

impl Limits {
    /// The limits of a cluster that sets none: Envoy's, or, in dialect grpc, on requests alone.
    #[must_use]
    pub fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Envoy => Self::default(),
            Dialect::Grpc => Self {
                max_connections: u32::MAX,
                max_pending_requests: u32::MAX,
                max_retries: u32::MAX,
                ..Self::default()
            },
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            max_pending_requests: 1024,
            max_requests: 1024,
            max_retries: 3,
            retry_budget: None,
        }
    }
}

/// Retries as a share of what is under way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RetryBudget {
    /// Share of active and pending requests, in millionths of one. Default 20 %.
    pub share: super::Fraction,
    /// How many retries are always allowed. Default 3.
    pub min_concurrency: u32,
}

impl Eq for RetryBudget {}
