//! What an ADS state machine is told once: the variant, who we are, what the server can do, bounds.

use mesh_core::config::Dialect;
use mesh_proto::envoy::config::core::v3::Node;

use crate::bootstrap::ServerFeatures;

/// The immutable part of an [`AdsState`](super::AdsState).
#[derive(Clone, Debug)]
pub struct AdsConfig {
    /// Which of the two ADS methods is used.
    pub variant: Variant,
    /// Who we are; sent with the first request of each stream.
    pub node: Node,
    /// What the bootstrap says of the server.
    pub features: ServerFeatures,
    /// Whose rules on deletion apply.
    pub dialect: Dialect,
    /// Bounds.
    pub limits: Limits,
    /// Seeds the jitter of the back-off.
    pub seed: u64,
}

/// The two variants of the aggregated protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Variant {
    /// `StreamAggregatedResources`: each response is the state of the world of its type.
    #[default]
    Sotw,
    /// `DeltaAggregatedResources`: each response is what changed.
    Delta,
}

/// Bounds on what is kept and read. Over one, something is refused with an error that names it,
/// and [`Counters::over_limit`](super::Counters::over_limit) goes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Names subscribed to, per kind; default 65,536.
    pub names: usize,
    /// Resources, removals and errors in one response, together; default 131,072.
    pub resources: usize,
    /// Bytes of a name, a version, a nonce, or an error's text; default 4,096.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            names: 65_536,
            resources: 131_072,
            text: 4_096,
        }
    }
}

/// What to do with a cached value that the server has taken away or spoilt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetentionPolicy {
    /// A deleted resource goes.
    pub(crate) drop_deleted: bool,
    /// A resource goes when what was sent in its place is refused, or when the server refuses it.
    pub(crate) drop_faulty: bool,
}

impl RetentionPolicy {
    /// Envoy obeys a deletion and keeps the last good value of what it refuses.
    ///
    /// gRPC obeys a deletion unless the server is marked as one to be ignored in that (gRFC A53);
    /// a server that has one of A88's features is under A88's rules, by which both kinds of data
    /// error matter only if `fail_on_data_errors` says so.
    pub(crate) const fn of(dialect: Dialect, features: ServerFeatures) -> Self {
        let follows_a88 =
            features.fail_on_data_errors || features.resource_timer_is_transient_error;
        match dialect {
            Dialect::Envoy => Self {
                drop_deleted: true,
                drop_faulty: false,
            },
            Dialect::Grpc if follows_a88 => Self {
                drop_deleted: features.fail_on_data_errors,
                drop_faulty: features.fail_on_data_errors,
            },
            Dialect::Grpc => Self {
                drop_deleted: !features.ignore_resource_deletion,
                drop_faulty: false,
            },
        }
    }
}
