//! Addresses behind which nobody answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::net::TcpSocket;
use tokio::sync::watch;

use crate::net::{Address, Listener, Tasks, reserve};
use crate::waiting::{bump, until};

/// An address on which connections are refused. Nobody else gets the port while this lives.
#[derive(Debug)]
pub struct RefusingAddress {
    socket: TcpSocket,
    at: SocketAddr,
}

impl RefusingAddress {
    /// The address.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        self.at
    }

    /// Begins to listen without ever accepting; see [`black_hole`].
    ///
    /// # Panics
    /// If the system will not listen.
    #[must_use]
    pub fn fall_silent(self) -> BlackHole {
        let listener = self.socket.listen(1024).expect("to listen");
        BlackHole {
            _listener: listener,
            at: self.at,
        }
    }
}

/// An address of 127.0.0.1 on which connections are refused: the socket is bound and never listens.
///
/// # Panics
/// If no port is free.
#[must_use]
pub fn refusing_address() -> RefusingAddress {
    let (socket, at) = reserve(Address::any().socket(), false).expect("a free port of 127.0.0.1");
    RefusingAddress { socket, at }
}

/// An address where connections succeed and nothing is ever said.
#[derive(Debug)]
pub struct BlackHole {
    _listener: tokio::net::TcpListener,
    at: SocketAddr,
}

impl BlackHole {
    /// The address.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        self.at
    }
}

/// An address where connections wait in the backlog (up to 1,024) and are never accepted.
///
/// # Panics
/// If no port is free, or outside a tokio runtime.
#[must_use]
pub fn black_hole() -> BlackHole {
    refusing_address().fall_silent()
}

/// A backend that accepts and dies: it counts connections and closes each at once.
#[derive(Debug)]
pub struct CountingListener {
    at: SocketAddr,
    count: Arc<AtomicU64>,
    changes: watch::Sender<u64>,
    tasks: Tasks,
}

impl CountingListener {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If no port is free, or outside a tokio runtime.
    #[must_use]
    pub fn start() -> Self {
        let (socket, at) =
            reserve(Address::any().socket(), true).expect("a free port of 127.0.0.1");
        let listener = Listener::Tcp(socket.listen(1024).expect("to listen"));
        let this = Self {
            at,
            count: Arc::default(),
            changes: watch::Sender::default(),
            tasks: Tasks::default(),
        };
        let (count, changes) = (Arc::clone(&this.count), this.changes.clone());
        this.tasks.spawn(async move {
            loop {
                if listener.accept().await.is_ok() {
                    count.fetch_add(1, Ordering::SeqCst);
                    bump(&changes);
                } else {
                    tokio::task::yield_now().await;
                }
            }
        });
        this
    }

    /// The address.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        self.at
    }

    /// Connections so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Waits until there were this many connections.
    ///
    /// # Panics
    /// After 30 s.
    pub async fn wait_for(&self, count: u64) {
        let reached = || self.count() >= count;
        let what = format!("{count} connections");
        until(self.changes.subscribe(), &what, reached, || {
            format!("there were {}", self.count())
        })
        .await;
    }
}

impl Drop for CountingListener {
    fn drop(&mut self) {
        self.tasks.abort();
    }
}
