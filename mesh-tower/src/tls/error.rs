//! Why there is no TLS.

use std::{io, path::PathBuf, sync::Arc};

/// Why a TLS connection could not be made. Each names the file or the host at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read, or does not hold what it should.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No roots were given, and the system has none.
    #[error("the system has no root certificates: {0}")]
    SystemRoots(String),
    /// No certificate can be for this host.
    #[error("{host:?} is not a name or address that a certificate can be for")]
    ServerName {
        /// As it was given.
        host: Arc<str>,
    },
    /// The server's certificate was not accepted, or the server did not accept us.
    #[error("TLS with {host}: {source}")]
    Handshake {
        /// The server.
        host: Arc<str>,
        /// Why.
        source: io::Error,
    },
    /// The server did not choose HTTP/2 (ALPN `h2`).
    #[error("TLS with {host}: the server does not offer HTTP/2 (ALPN h2)")]
    NotHttp2 {
        /// The server.
        host: Arc<str>,
    },
    /// TLS itself could not be set up.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}
