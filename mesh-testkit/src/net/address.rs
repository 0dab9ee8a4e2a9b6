//! Where a server listens.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, UnixListener};

/// The address of a server: a TCP port or the path of a Unix socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// An IP address and port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Address {
    /// Any free port of 127.0.0.1.
    pub(crate) fn any() -> Self {
        Self::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// The IP address and port.
    ///
    /// # Panics
    /// If this is the path of a Unix socket.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        match self {
            Self::Tcp(at) => *at,
            Self::Unix(path) => panic!("{} is a Unix socket", path.display()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(at) => at.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(at: SocketAddr) -> Self {
        Self::Tcp(at)
    }
}

impl From<&Path> for Address {
    fn from(path: &Path) -> Self {
        Self::Unix(path.to_owned())
    }
}

/// A byte stream that a connection runs over.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Takes a port without listening on it: connections are refused, and nobody else gets it while
/// the socket lives. With `shared`, a listener of ours may still be bound there (`SO_REUSEADDR`).
pub(crate) fn reserve(at: SocketAddr, shared: bool) -> io::Result<(TcpSocket, SocketAddr)> {
    let socket = if at.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(shared)?;
    socket.bind(at)?;
    let at = socket.local_addr()?;
    Ok((socket, at))
}

/// A listening socket of either kind.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    pub(crate) fn bind(at: &Address) -> io::Result<Self> {
        match at {
            Address::Tcp(at) => Ok(Self::Tcp(reserve(*at, true)?.0.listen(1024)?)),
            Address::Unix(path) => {
                // A socket file outlives its listener; a second bind would fail on it.
                let _ = std::fs::remove_file(path);
                Ok(Self::Unix(UnixListener::bind(path)?))
            }
        }
    }

    pub(crate) async fn accept(&self) -> io::Result<Box<dyn Io>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            Self::Unix(listener) => Ok(Box::new(listener.accept().await?.0)),
        }
    }
}
