//! What can be wrong with a mesh before the first request.

use mesh_core::target::TargetError;
use mesh_xds_client::BootstrapError;

/// A mesh, a channel or a client cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The gRPC bootstrap cannot be used.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// There is no tokio runtime to run on.
    #[error("a mesh is spawned inside a tokio runtime")]
    NoRuntime,
    /// The URI names nothing that can be called.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The target is one of xDS, and the mesh was built without a bootstrap.
    #[error("{0} needs a control plane, and the mesh was built without a bootstrap")]
    NoControlPlane(String),
    /// The target's name cannot be the authority of a request.
    #[error("{authority:?} is no authority for requests: {reason}")]
    Authority {
        /// What was taken for one.
        authority: String,
        /// Why it is none.
        reason: String,
    },
}
