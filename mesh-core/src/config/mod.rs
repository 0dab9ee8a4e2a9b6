//! Configuration: plain immutable data, shaped as Envoy shapes it, complete in itself.
//!
//! Decoders build these values from xDS; programs and tests build them by hand. Everything that the
//! dialects do differently is a switch in here, set once when a resource is decoded.

mod cluster;
mod endpoint;
mod entries;
mod error;
mod filter;
mod listener;
mod matcher;
mod pattern;
mod re2;
mod retry;
mod route;
mod snapshot;

pub use cluster::{
    ClusterConfig, ClusterIdentity, Discovery, Failover, Http1Config, Http2Config, LbConfig,
    LbPolicyConfig, LeastRequestWeights, Limits, LocalityMode, Protocol, Readiness, RetryBudget,
    Transport,
};
pub use endpoint::{
    Address, DropOverload, EndpointConfig, EndpointsConfig, HealthStatus, Locality, LocalityConfig,
};
pub use entries::ClusterEntries;
pub use error::{ConfigError, ConfigErrors, FieldPath};
pub use filter::{
    FaultAbort, FaultConfig, FaultDelay, FilterConfig, FilterKind, FilterOverride, FilterOverrides,
};
pub use listener::{ClientTimeouts, ListenerConfig};
pub use matcher::{
    Fraction, HeaderLines, HeaderMatch, HeaderMatchKind, HeaderSource, MatchRules, PathMatch,
    QueryMatch, QueryMatchKind, RouteMatch, StringMatch, StringMatchKind,
};
pub use pattern::{Pattern, PatternError};
pub use retry::{BackoffConfig, RetryConditions, RetryPolicy};
pub use route::{
    ClusterChoice, DomainPattern, EditedForwards, Forward, GrpcTimeoutRule, Route, RouteAction,
    RouteConfig, StreamTimeouts, VirtualHost, WeightedCluster, WeightedClusters,
};
pub use snapshot::{ClusterEntry, ClusterSnapshot, Snapshot, SnapshotBuilder};

/// Whose reading of a resource applies where gRPC and Envoy differ. Resolved at decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Dialect {
    /// As gRPC's proxyless xDS reads it (gRFC A27 and its successors).
    Grpc,
    /// As Envoy reads it.
    Envoy,
}
