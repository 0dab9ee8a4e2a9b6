//! A data plane of the mesh: one dialect, its own clusters and connections.

use std::{future::Future, pin::Pin};

use mesh_core::{
    config::Dialect,
    filter::FilterRegistry,
    observe::{Observer, Several},
    runtime::Registry,
    server::Server,
};
use mesh_tower::{
    connect::Executor,
    dial::Dialer,
    source::{DirectConfig, Sources},
};
use mesh_xds_client::{
    Bootstrap, XdsOptions, XdsSource,
    driver::{BoxError, Channel},
    protocol::Variant,
    resource::DecodeOptions,
};

use crate::Error;

/// What planes are made of.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) bootstrap: Option<Bootstrap>,
    pub(crate) executor: Executor,
    pub(crate) filters: FilterRegistry,
    pub(crate) registry: Option<Registry>,
    pub(crate) observers: Several,
    pub(crate) seed: Option<u64>,
    pub(crate) variant: Option<Variant>,
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Plane {
    pub(crate) mesh: mesh_tower::Mesh,
    pub(crate) dialect: Dialect,
}

type Connecting = Pin<Box<dyn Future<Output = Result<Channel, BoxError>> + Send>>;

impl Parts {
    /// Starts a client of the bootstrap's control plane, if there is a bootstrap.
    pub(crate) fn xds(&self, dialect: Dialect) -> Option<XdsSource> {
        let bootstrap = self.bootstrap.clone()?;
        let dialer = Dialer::new(self.executor.clone());
        let connect = move |server: &Server| -> Connecting {
            let (dialer, server) = (dialer.clone(), server.clone());
            Box::pin(async move { Ok(Channel::new(dialer.dial(&server).await?)) })
        };
        let filters = self.filters.clone();
        let mut options = XdsOptions::new(dialect);
        options.variant = self.variant;
        options.decode =
            DecodeOptions::new(dialect).with_filters(move |type_url| filters.knows(type_url));
        let (source, driver) = XdsSource::new(bootstrap, connect, options);
        self.executor.spawn(driver);
        self.observers.control_plane(source.numbers());
        Some(source)
    }

    /// Starts a plane on that client. `direct` is how targets without a control plane are spoken to.
    pub(crate) fn plane(
        &self,
        direct: DirectConfig,
        xds: Option<XdsSource>,
    ) -> Result<Plane, Error> {
        let sources = Sources::new(direct, self.executor.clone());
        let sources = match xds {
            Some(xds) => sources.xds(xds),
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
