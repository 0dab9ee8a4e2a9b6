//! Making byte streams.

use std::{fmt, future::Future, io, pin::Pin};

use mesh_core::config::Address;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};

/// A byte stream to an endpoint.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// What a connector gives.
pub type Connecting = Pin<Box<dyn Future<Output = io::Result<Box<dyn Io>>> + Send>>;

/// Makes byte streams to endpoints. The pool bounds how long that may take.
pub trait Connect: fmt::Debug + Send + Sync + 'static {
    /// Begins to connect.
    fn connect(&self, to: &Address) -> Connecting;
}

/// Connects by TCP, without Nagle's delay, and to Unix sockets.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TcpConnect;

impl Connect for TcpConnect {
    fn connect(&self, to: &Address) -> Connecting {
        match to.clone() {
            Address::Socket(address) => Box::pin(async move {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream) as Box<dyn Io>)
            }),
            Address::Unix(path) => {
                Box::pin(
                    async move { Ok(Box::new(UnixStream::connect(path).await?) as Box<dyn Io>) },
                )
            }
        }
    }
}
