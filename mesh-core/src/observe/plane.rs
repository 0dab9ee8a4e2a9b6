//! What a client of a control plane counts (gRFC A78), for observers that publish it.

use std::{fmt, sync::Arc};

/// A client of a control plane, as observers see it.
pub trait ControlPlane: fmt::Debug + Send + Sync + 'static {
    /// What it has counted by now; `None` once the client is gone.
    fn numbers(&self) -> Option<ControlPlaneNumbers>;
}

/// What a client of a control plane has counted since it began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlPlaneNumbers {
    /// The server that is asked.
    pub server: Arc<str>,
    /// Whether it can be reached: a stream to it is open, or the last one was of use.
    pub connected: bool,
    /// How often it went from reachable to unreachable.
    pub failures: u64,
    /// What was counted of each type of resource.
    pub resources: Vec<ResourceNumbers>,
}

/// What was counted of the resources of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceNumbers {
    /// The type, as `envoy.config.cluster.v3.Cluster`.
    pub kind: &'static str,
    /// Resources received and valid, those that had not changed included.
    pub valid: u64,
    /// Resources received and not valid.
    pub invalid: u64,
    /// How many resources are in each state (gRFC A78's `grpc.xds.cache_state`).
    pub states: Vec<(&'static str, u64)>,
}
