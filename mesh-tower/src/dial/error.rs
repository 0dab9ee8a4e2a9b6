//! Why there is no connection to a server.

use std::{fmt, io, path::PathBuf, sync::Arc, time::Duration};

use super::TlsError;

/// A server could not be connected to.
#[derive(Debug, thiserror::Error)]
#[error("{server}: {kind}")]
pub struct DialError {
    server: Arc<str>,
    // Part of the text, so not its source again.
    kind: DialErrorKind,
}

/// What went wrong on the way to a server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialErrorKind {
    /// The host cannot be an HTTP authority.
    #[error("{0:?} is not a host that can be called")]
    Host(Arc<str>),
    /// The host's name has no address.
    #[error("no address for {host}: {source}")]
    Resolve {
        /// The name.
        host: Arc<str>,
        /// Why.
        source: io::Error,
    },
    /// No address of the host took the connection; each with its reason.
    #[error("could not connect: {0}")]
    Connect(String),
    /// The Unix socket did not take the connection.
    #[error("could not connect to {}: {source}", path.display())]
    Unix {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server does not speak HTTP/2, or ended the connection at once. After TLS 1.3 this is also
    /// how a server says that it wants a client certificate.
    #[error("no HTTP/2: {0}")]
    Http2(String),
    /// It took too long.
    #[error("no connection within {after:?}: {step}")]
    TimedOut {
        /// The limit.
        after: Duration,
        /// What was under way.
        step: DialStep,
    },
}

/// What a connection was waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DialStep {
    /// Certificates and keys.
    Files,
    /// The host's addresses.
    Resolve,
    /// A TCP or Unix connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The server's first HTTP/2 frame.
    Http2,
}

impl DialError {
    pub(super) fn new(server: Arc<str>, mut kind: DialErrorKind) -> Self {
        // An address that is all of the server's name is not told twice.
        if let DialErrorKind::Connect(text) = &mut kind
            && let Some(rest) = text.strip_prefix(&*server)
            && let Some(reason) = rest.strip_prefix(": ")
        {
            *text = reason.to_owned();
        }
        Self { server, kind }
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> &DialErrorKind {
        &self.kind
    }
}

impl fmt::Display for DialStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Files => "still reading the TLS files",
            Self::Resolve => "still waiting for the host's addresses",
            Self::Connect => "still connecting",
            Self::Tls => "still waiting for the TLS handshake",
            Self::Http2 => "the server said no HTTP/2",
        })
    }
}
