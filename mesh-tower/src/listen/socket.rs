//! Accepting connections.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use mesh_core::bounds::Bound;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
};

use super::{Draining, ListenOptions, connection::Serving, linger::Lingering};
use crate::{connect::Executor, proxy::Proxy};

/// How many connections the kernel keeps that have not been accepted yet.
const BACKLOG: u32 = 1_024;

/// How long nothing is accepted after accepting has failed: by then a file descriptor may be free.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

/// A socket that accepts connections. Made inside a tokio runtime.
pub struct Listener {
    socket: TcpListener,
    options: ListenOptions,
}

impl Listener {
    /// Listens at `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be had, as one that is in use.
    pub fn bind(address: SocketAddr, options: ListenOptions) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        // A socket that was closed a moment ago may still have connections that end.
        socket.set_reuseaddr(true)?;
        if options.share_port {
            socket.set_reuseport(true)?;
        }
        socket.bind(address)?;
        let socket = socket.listen(BACKLOG)?;
        Ok(Self { socket, options })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Has every request answered by `proxy`, each connection on `executor`, until draining has
    /// begun and the last connection has ended. Dropping the future stops accepting; connections go
    /// on until their clients leave.
    pub async fn serve(self, proxy: Proxy, executor: Executor, mut draining: Draining) {
        let max = u32::try_from(self.options.max_connections).unwrap_or(u32::MAX);
        let places = Arc::new(Semaphore::new(max as usize));
        let serving = Arc::new(Serving::new(
            proxy,
            self.options,
            executor.clone(),
            draining.clone(),
        ));
        loop {
            if places.available_permits() == 0 {
                Bound::ListenerConnections.exceeded();
            }
            // Never closed, so that there is always a place in the end.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let stream = tokio::select! {
                biased;
                stream = self.accept() => stream,
                // Only when no connection is left in the queue: the kernel would reset it.
                () = draining.begun() => break,
            };
            let serving = Arc::clone(&serving);
            let stream = Lingering::new(stream, place, executor.clone());
            executor.spawn(async move { serving.serve(stream).await });
        }
        drop(self.socket);
        let _ = places.acquire_many(max).await;
    }

    /// The next connection.
    async fn accept(&self) -> TcpStream {
        loop {
            match self.socket.accept().await {
                Ok((stream, _)) => {
                    // A connection that takes no options has ended already, as its reader will see.
                    let _ = stream.set_nodelay(true);
                    return stream;
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }
}

/// Whether an error concerns a connection that ended before it was accepted, not the socket.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}
