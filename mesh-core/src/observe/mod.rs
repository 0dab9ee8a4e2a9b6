//! The seam for metrics, traces and access logs.
//!
//! One account is kept of each request, and told once at its end: an [`Observer`] turns it into
//! numbers, spans or lines. What an observer needs to know of a target and a cluster it is told
//! beforehand, off the request path: [`Observer::watch`] is asked once for each pair, and what it
//! answers is kept for as long as the pair stays in force. Without an observer a request costs one
//! look at an empty place, and with one that has nothing to do one question
//! ([`RequestObserver::watches`]); an account takes no memory of its own.
//!
//! A request ends when its response body has ended, well or not, when the body was dropped, or when
//! the request failed. One that is dropped by its caller ends too, and is told as such.

mod call;
mod method;
mod plane;
mod several;
mod summary;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use http::HeaderMap;

pub use self::{
    call::{Call, HttpMethod},
    method::{GrpcMethod, MAX_METHODS},
    plane::{ControlPlane, ControlPlaneNumbers, ResourceNumbers},
    several::Several,
    summary::{AttemptSummary, End, RequestSummary},
};
use crate::{
    name::{ClusterName, Target},
    policy::head::RequestHead,
    runtime::ClusterState,
};

/// Who is told of requests. All methods do nothing by default.
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// Asked when a target is opened: who is told of its requests for which no cluster was chosen
    /// (no configuration, no route, a cluster that cannot be used).
    fn watch_target(&self, target: &Target) -> Watch {
        let _ = target;
        None
    }

    /// Asked when a cluster comes into a target's configuration: who is told of the target's requests
    /// to it. Never asked on the way of a request.
    fn watch(&self, target: &Target, cluster: &Arc<ClusterState>) -> Watch {
        let _ = (target, cluster);
        None
    }

    /// Told of each client of a control plane, when it is started. Meshes that share a client have
    /// the same observers, which are told once.
    fn control_plane(&self, client: Arc<dyn ControlPlane>) {
        let _ = client;
    }

    /// Called every few seconds, for what is live state and counted already: how much is under way,
    /// how many endpoints there are.
    fn publish(&self) {}
}

/// Who is told of some requests, if anybody is.
pub type Watch = Option<Arc<dyn RequestObserver>>;

/// Is told of the requests of one target to one cluster. Called on the way of each request: nothing
/// here may block. All methods do nothing by default.
pub trait RequestObserver: fmt::Debug + Send + Sync + 'static {
    /// Whether anything is to be told of the request at hand. Asked when its cluster is known, or it
    /// fails before that; and beforehand of one that has to wait for its configuration. No account is
    /// kept of a request that nobody wants to be told of: it costs the question, and no more.
    fn watches(&self) -> bool {
        true
    }

    /// Whether [`Self::begin`] is to be asked, as things are now.
    fn traces(&self) -> bool {
        false
    }

    /// A request begins. What is returned accompanies it; to return anything takes an allocation.
    fn begin(&self, head: &RequestHead<'_>) -> Option<Box<dyn Trace>> {
        let _ = head;
        None
    }

    /// An attempt begins.
    fn attempt_started(&self, call: Call) {
        let _ = call;
    }

    /// An attempt has ended: its answer with the answer's body, or it failed.
    fn attempt_ended(&self, attempt: &AttemptSummary<'_>) {
        let _ = attempt;
    }

    /// The request has ended.
    fn ended(&self, request: &RequestSummary<'_>) {
        let _ = request;
    }
}

/// Accompanies one request, for observers that keep something of it. All methods do nothing by
/// default.
pub trait Trace: fmt::Debug + Send {
    /// Route and cluster were chosen; a filter may have them chosen anew. The route may have no name.
    fn routed(&mut self, route: &str, cluster: &ClusterName) {
        let _ = (route, cluster);
    }

    /// An attempt begins, the first with number 1; `headers` are what will be sent.
    fn attempt_started(&mut self, number: u32, headers: &mut HeaderMap) {
        let _ = (number, headers);
    }

    /// The attempt has ended.
    fn attempt_ended(&mut self, attempt: &AttemptSummary<'_>) {
        let _ = attempt;
    }

    /// The request has ended.
    fn ended(&mut self, request: &RequestSummary<'_>) {
        let _ = request;
    }
}
