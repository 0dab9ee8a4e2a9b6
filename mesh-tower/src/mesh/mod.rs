//! The mesh: applies snapshots, owns clusters, hands out services.

mod apply;
mod builder;
mod driver;
mod pace;
mod ready;
mod target;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use mesh_core::{name::Target, policy::grpc_status::GrpcCodes};
use tokio::sync::mpsc;

use self::apply::Clusters;
pub(crate) use self::target::TargetCell;
pub use self::{
    builder::{BuildError, MeshBuilder},
    driver::MeshDriver,
};
use crate::client::HttpClient;

/// The mesh of a program: one per process is enough. Cheap to clone.
///
/// Everything ends with the last handle: the driver, the connections, the subscriptions.
#[derive(Clone)]
pub struct Mesh(Arc<Shared>);

struct Shared {
    // Cold path: locked when a channel or client is opened.
    targets: Mutex<HashMap<Target, Weak<TargetCell>>>,
    clusters: Arc<Clusters>,
    // For observers.
    codes: GrpcCodes,
    // To the driver; closes with the last handle, which ends it.
    opened: mpsc::UnboundedSender<Weak<TargetCell>>,
}

impl Mesh {
    /// Begins to put a mesh together.
    #[must_use]
    pub fn builder() -> MeshBuilder {
        MeshBuilder::default()
    }

    /// A client for plain HTTP whose every request goes to `target`, whatever its URI's authority;
    /// the authority chooses the virtual host.
    pub fn http_client(&self, target: impl Into<Target>) -> HttpClient {
        HttpClient::new(self.target(target.into()))
    }

    /// What is live of a target: the same for all channels and clients opened for it.
    pub(crate) fn target(&self, name: Target) -> Arc<TargetCell> {
        // A panic while the lock was held cannot have left the map half-changed.
        let mut targets = self
            .0
            .targets
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = targets.get(&name).and_then(Weak::upgrade) {
            return cell;
        }
        // Targets come and go; what nobody holds is forgotten when the next one is opened.
        targets.retain(|_, cell| cell.strong_count() > 0);
        let cell = TargetCell::new(name.clone(), Arc::clone(&self.0.clusters), self.clone());
        targets.insert(name, Arc::downgrade(&cell));
        // Fails when the driver is gone; the target says so to its requests.
        let _ = self.0.opened.send(Arc::downgrade(&cell));
        cell
    }

    /// Resolves when the driver was dropped: nothing new will be learnt.
    async fn driver_gone(&self) {
        self.0.opened.closed().await;
    }
}

impl fmt::Debug for Mesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mesh").finish_non_exhaustive()
    }
}
