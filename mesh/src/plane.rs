//! A data plane of the mesh: one dialect, its own clusters and connections.

use mesh_core::{config::Dialect, filter::FilterRegistry, observe::Several, runtime::Registry};
use mesh_tower::{
    connect::Executor,
    source::{DirectConfig, Sources},
};
use mesh_xds_client::XdsSource;

use crate::Error;

/// What planes are made of.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) executor: Executor,
    pub(crate) filters: FilterRegistry,
    pub(crate) registry: Option<Registry>,
    pub(crate) observers: Several,
    pub(crate) seed: Option<u64>,
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Plane {
    pub(crate) mesh: mesh_tower::Mesh,
    pub(crate) dialect: Dialect,
}

impl Parts {
    /// Starts a plane on the client of a control plane. `direct` is how targets without one are
    /// spoken to.
    pub(crate) fn plane(
        &self,
        direct: DirectConfig,
        xds: Option<&XdsSource>,
    ) -> Result<Plane, Error> {
        let sources = Sources::new(direct, self.executor.clone());
        let sources = match xds {
            Some(xds) => sources.xds(xds.clone()),
            None => sources.without_xds("the mesh was built without a bootstrap"),
        };
        let mut mesh = mesh_tower::Mesh::builder()
            .source(sources)
            .executor(self.executor.clone())
            .filters(self.filters.clone())
            .registry(self.registry.clone().unwrap_or_default())
            .dialect(direct.dialect);
        if !self.observers.is_empty() {
            mesh = mesh.observer(self.observers.clone());
        }
        if let Some(seed) = self.seed {
            mesh = mesh.seed(seed);
        }
        let mesh = mesh.spawn().map_err(|_| Error::NoRuntime)?;
        Ok(Plane {
            mesh,
            dialect: direct.dialect,
        })
    }
}
