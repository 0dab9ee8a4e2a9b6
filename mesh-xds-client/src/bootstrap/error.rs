//! What can be wrong with a bootstrap, or with a target by it.

use std::{io, path::PathBuf};

use mesh_core::config::ConfigErrors;

/// Why there is no bootstrap.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The environment names none.
    #[error("no xDS bootstrap: neither GRPC_XDS_BOOTSTRAP nor GRPC_XDS_BOOTSTRAP_CONFIG is set")]
    NotSet,
    /// Its file cannot be read.
    #[error("the xDS bootstrap {} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not JSON.
    #[error("the xDS bootstrap is not JSON: {0}")]
    Syntax(serde_json::Error),
    /// It says what cannot be used.
    #[error("the xDS bootstrap cannot be used: {0}")]
    Invalid(ConfigErrors),
}

/// Why a target has no listener.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It names nothing.
    #[error("the target names no service")]
    Empty,
    /// Its authority is not in the bootstrap (gRFC A47).
    #[error("the authority {0:?} is not in the bootstrap's authorities")]
    UnknownAuthority(String),
}
