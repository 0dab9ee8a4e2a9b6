//! Live state: what clusters and endpoints are doing now, and picking among them.
//!
//! Two kinds of state. [`ClusterState`] and [`EndpointState`] are shared by the whole process, found
//! through a [`Registry`] and carried from one configuration to the next: load, limits,
//! connectivity. A [`ClusterRuntime`] belongs to one mesh (one worker): its picker and, in each
//! [`Endpoint`], a slot for the mesh's own connections.
//!
//! The request path calls [`ClusterRuntime::pick`] and nothing else. All that leads to a new picker
//! happens off it, in [`ClusterRuntime::update`] and [`ClusterRuntime::rebuild`].

mod budget;
mod cluster;
mod endpoint;
mod explain;
mod limit;
mod load;
mod pick;
mod registry;
mod view;

#[cfg(all(test, mesh_loom))]
pub(crate) mod models;

pub use cluster::{ClusterRuntime, ClusterState, Rebuilt};
pub use endpoint::{Connectivity, ConnectivityReport, Endpoint, EndpointState};
pub use explain::{ClusterExplanation, EndpointExplanation, LocalityExplanation, ShareExplanation};
pub use limit::{ConnectionPermit, Limit, PendingPermit, RetryPermit};
pub use load::{LoadGuard, Outcome};
pub use pick::{Pick, Picked};
pub use registry::Registry;
pub use view::{Chosen, ClusterSlot, View};
