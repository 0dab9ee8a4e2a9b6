//! Putting a mesh together.

use std::sync::Arc;

use mesh_core::{
    config::Dialect,
    filter::FilterRegistry,
    observe::{Observer, Several},
    runtime::Registry,
};
use mesh_tower::connect::Executor;
use mesh_xds_client::{Bootstrap, protocol::Variant};

use crate::{Error, Mesh, clients::Clients, plane::Parts};

/// What a mesh is made of.
#[derive(Clone, Debug, Default)]
pub struct MeshBuilder {
    bootstrap: Option<Bootstrap>,
    followed: Option<Option<Arc<Clients>>>,
    dialect: Option<Dialect>,
    filters: FilterRegistry,
    registry: Option<Registry>,
    observers: Several,
    seed: Option<u64>,
    variant: Option<Variant>,
}

impl MeshBuilder {
    /// The control planes and who we are to them. Without it only targets that name their endpoints
    /// themselves can be called (`dns:`, `unix:`, lists).
    #[must_use]
    pub fn bootstrap(mut self, bootstrap: Bootstrap) -> Self {
        self.bootstrap = Some(bootstrap);
        self
    }

    /// Takes configuration from the clients of `mesh`, which may live on another runtime, instead of
    /// from clients of its own: workers that each run on a thread of their own have one stream
    /// together, and share what it brought. What concerns the clients is that mesh's: its bootstrap,
    /// variant, and observers of the control plane; the filters registered here must be the same. The
    /// clients stay as long as anybody uses them and the runtime of `mesh` is there; after it, what
    /// they said last stays in force.
    #[must_use]
    pub fn follow(mut self, mesh: &Mesh) -> Self {
        self.followed = Some(mesh.clients().cloned());
        self
    }

    /// Whose reading of the resources applies to all calls. Default: gRPC's to channels, Envoy's to
    /// HTTP clients. A program that has both and sets it has one stream to its control plane
    /// instead of two.
    #[must_use]
    pub const fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// Which variant of the xDS protocol is spoken. Default: deltas with a control plane whose
    /// `server_features` in the bootstrap list `delta_xds`, and else state of the world, which every
    /// control plane speaks.
    #[must_use]
    pub const fn variant(mut self, variant: Variant) -> Self {
        self.variant = Some(variant);
        self
    }

    /// The live state of clusters and endpoints that this mesh shares with others of the process, as
    /// workers do that each run on a thread of their own: load, limits and connectivity are counted
    /// over all of them. Default: its own.
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// HTTP filters of the program's own, besides those built in.
    #[must_use]
    pub fn filters(mut self, filters: FilterRegistry) -> Self {
        self.filters = filters;
        self
    }

    /// Who is told of requests, besides those named before. Default: nobody, which costs nothing.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Makes routing decisions repeat themselves: for tests and demonstrations.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The mesh, running on this tokio runtime until its last handle is dropped.
    ///
    /// # Errors
    /// Outside a tokio runtime.
    pub fn spawn(self) -> Result<Mesh, Error> {
        let handle = tokio::runtime::Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let clients = match (self.followed, self.bootstrap) {
            (Some(followed), _) => followed,
            (None, Some(bootstrap)) => Some(Arc::new(Clients::new(
                bootstrap,
                self.variant,
                self.filters.clone(),
                self.observers.clone(),
                handle.clone(),
            ))),
            (None, None) => None,
        };
        let parts = Parts {
            executor: Executor::tokio(handle),
            filters: self.filters,
            registry: self.registry,
            observers: self.observers,
            seed: self.seed,
        };
        Ok(Mesh::new(parts, self.dialect, clients))
    }
}
