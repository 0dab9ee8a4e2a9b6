//! Servers that the mesh itself calls, such as a control plane: address and credentials as plain
//! data, for whoever can dial.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use serde::Serialize;

/// A server to dial and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Server {
    /// As written, for messages.
    pub uri: Arc<str>,
    /// Where it listens.
    pub address: ServerAddress,
    /// How it is trusted, and how it trusts us.
    pub credentials: ChannelCredentials,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum ServerAddress {
    /// A host name or an IP address, to be resolved anew for each connection.
    Host {
        /// Name or address, IPv6 without brackets.
        host: Arc<str>,
        /// Port.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Host { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The credentials of a channel (gRFC A27, A65).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum ChannelCredentials {
    /// Plaintext, on purpose.
    Insecure,
    /// TLS.
    Tls(TlsFiles),
}

/// TLS from files (gRFC A65's `tls` credentials). Files are read at each connection, so a rotated
/// certificate serves from the next one on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct TlsFiles {
    /// PEM roots; without them the system's.
    pub ca_certificate_file: Option<PathBuf>,
    /// PEM chain and key of our own, for mutual TLS.
    pub identity: Option<TlsIdentityFiles>,
    /// How old what was read may be; default 600 s. Reading at each connection satisfies it.
    pub refresh_interval: Option<Duration>,
}

/// Our own certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct TlsIdentityFiles {
    /// PEM chain, leaf first.
    pub certificate_file: PathBuf,
    /// PEM key.
    pub private_key_file: PathBuf,
}
