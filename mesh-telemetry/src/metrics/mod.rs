//! The mesh's numbers, for the `metrics` facade.

mod grpc;
mod http;
mod live;
mod request;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mesh_core::{
    name::Target,
    observe::{ControlPlane, Observer, Watch},
    runtime::ClusterState,
};

pub(crate) use self::request::error_type;
use self::{live::Live, request::Watched};
use crate::table;

/// Counts requests for the `metrics` facade, under the names of gRFC A66 and A78, of OpenTelemetry,
/// and of the mesh; see the [table](crate::manual). Cheap to clone.
///
/// The recorder that the program has installed by then gets them; one that is installed only after
/// the first request misses what was counted before. Without one nothing is kept.
#[derive(Clone, Debug)]
pub struct MetricsObserver(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clusters: bool,
    // Cold path: locked when views are built, and to publish.
    live: Mutex<Live>,
}

impl MetricsObserver {
    /// An observer; describes its metrics to the recorder that is installed.
    #[must_use]
    pub fn new() -> Self {
        Self::built(true)
    }

    /// The same without the label for the cluster on what is counted per request, for programs with
    /// very many clusters: gRFC A89 has it as an option.
    #[must_use]
    pub fn without_clusters() -> Self {
        Self::built(false)
    }

    fn built(clusters: bool) -> Self {
        table::describe();
        Self(Arc::new(Shared {
            clusters,
            live: Mutex::default(),
        }))
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        // A panic while the lock was held cannot have left worse than a number not published.
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MetricsObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for MetricsObserver {
    fn watch_target(&self, target: &Target) -> Watch {
        Some(Arc::new(Watched::new(target, None)))
    }

    fn watch(&self, target: &Target, cluster: &Arc<ClusterState>) -> Watch {
        self.live().watch(cluster);
        let name = self.0.clusters.then(|| cluster.name());
        Some(Arc::new(Watched::new(target, name)))
    }

    fn control_plane(&self, client: Arc<dyn ControlPlane>) {
        self.live().control_plane(client);
    }

    fn publish(&self) {
        self.live().publish();
    }
}
