//! The handle that programs hold.

use std::sync::{Arc, OnceLock};

use mesh_core::{config::Dialect, target::TargetUri};
use mesh_tonic::MeshChannel;
use mesh_tower::{HttpClient, source::DirectConfig};
use mesh_xds_client::{Bootstrap, XdsStatus};

use crate::{
    Error, MeshBuilder,
    clients::Clients,
    plane::{Parts, Plane},
};

/// The mesh of a program: one per process is enough. Cheap to clone.
///
/// It starts what is asked for: the first channel starts a data plane for gRPC, the first HTTP
/// client one for HTTP. All of it ends when the last handle, channel and client is dropped.
#[derive(Clone, Debug)]
pub struct Mesh(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    parts: Parts,
    dialect: Option<Dialect>,
    grpc: OnceLock<Plane>,
    http: OnceLock<Plane>,
    // `None` without a bootstrap.
    clients: Option<Arc<Clients>>,
}

impl Mesh {
    /// Begins to put a mesh together.
    #[must_use]
    pub fn builder() -> MeshBuilder {
        MeshBuilder::default()
    }

    /// A builder with the bootstrap that the environment names: the file in `GRPC_XDS_BOOTSTRAP`,
    /// or else the JSON in `GRPC_XDS_BOOTSTRAP_CONFIG` (gRFC A27).
    ///
    /// # Errors
    /// When neither is set, or the one that is cannot be used.
    pub fn from_env() -> Result<MeshBuilder, Error> {
        Ok(Self::builder().bootstrap(Bootstrap::from_env()?))
    }

    pub(crate) fn new(
        parts: Parts,
        dialect: Option<Dialect>,
        clients: Option<Arc<Clients>>,
    ) -> Self {
        Self(Arc::new(Shared {
            parts,
            dialect,
            grpc: OnceLock::new(),
            http: OnceLock::new(),
            clients,
        }))
    }

    /// A channel for a generated gRPC client. `uri` is `xds:///name`, `dns:///host:port`,
    /// `unix:///path` or a list of addresses; see [`TargetUri`].
    ///
    /// # Errors
    /// When `uri` names nothing that can be called.
    pub fn channel(&self, uri: &str) -> Result<MeshChannel, Error> {
        let target = self.target(uri)?;
        let plane = self.0.plane(&self.0.grpc, Dialect::Grpc)?;
        let client = plane.mesh.http_client(target.to_string());
        let authority = target.authority();
        MeshChannel::new(client, &authority, plane.dialect).map_err(|reason| Error::Authority {
            authority,
            reason: reason.to_string(),
        })
    }

    /// A client for plain HTTP. `uri` is as for [`Self::channel`]; a request's own authority chooses
    /// the virtual host.
    ///
    /// # Errors
    /// When `uri` names nothing that can be called.
    pub fn http_client(&self, uri: &str) -> Result<HttpClient, Error> {
        let target = self.target(uri)?;
        let plane = self.0.plane(&self.0.http, Dialect::Envoy)?;
        Ok(plane.mesh.http_client(target.to_string()))
    }

    /// What is known of every xDS resource in use, by the dialect that reads it; for operators and
    /// tests.
    #[must_use]
    pub fn status(&self) -> Vec<(Dialect, XdsStatus)> {
        let clients = self.0.clients.as_ref();
        clients.map(|clients| clients.status()).unwrap_or_default()
    }

    pub(crate) fn clients(&self) -> Option<&Arc<Clients>> {
        self.0.clients.as_ref()
    }

    fn target(&self, uri: &str) -> Result<TargetUri, Error> {
        let target = TargetUri::parse(uri)?;
        if target.is_xds() && self.0.clients.is_none() {
            return Err(Error::NoControlPlane(uri.to_owned()));
        }
        Ok(target)
    }
}

impl Shared {
    fn plane<'p>(
        &'p self,
        plane: &'p OnceLock<Plane>,
        default: Dialect,
    ) -> Result<&'p Plane, Error> {
        if let Some(plane) = plane.get() {
            return Ok(plane);
        }
        let dialect = self.dialect.unwrap_or(default);
        let xds = self.clients.as_ref().map(|clients| clients.get(dialect));
        let protocol = DirectConfig::of(default).protocol;
        let started = self.parts.plane(DirectConfig { dialect, protocol }, xds)?;
        // Of two that start at once, one is kept and the other ends with its last handle.
        Ok(plane.get_or_init(|| started))
    }
}
