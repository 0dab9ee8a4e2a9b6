//! Fields that are known and not carried out, and what is done about each in dialect envoy.
//!
//! In dialect grpc all of them are ignored, as gRPC ignores them, and reported. In dialect envoy a
//! field may be ignored only where that changes neither where a request goes nor what it says.

mod cluster;
mod listener;
mod route;

pub(super) use cluster::cluster;
pub(super) use listener::{connection_manager, filter_chain, listener, socket};
pub(super) use route::{
    cluster_weight, retry_policy, route, route_action, route_configuration, virtual_host,
};

/// A field that is set and not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unused {
    pub(super) field: &'static str,
    pub(super) verdict: Verdict,
}

/// What is done about it in dialect envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The resource is accepted, and the field reported.
    Report,
    /// The resource is accepted, and the routes concerned refuse their requests by the field's name.
    Refuse,
    /// The resource is refused.
    Reject,
}

/// Keeps the fields that are set.
fn set<const N: usize>(fields: [(&'static str, bool, Verdict); N]) -> Vec<Unused> {
    fields
        .into_iter()
        .filter(|&(_, set, _)| set)
        .map(|(field, _, verdict)| Unused { field, verdict })
        .collect()
}
