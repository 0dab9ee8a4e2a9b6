//! HTTP servers that report what they saw, and misbehave on request.
//!
//! The answer to a request is an [`EchoReport`] in JSON, and the server remembers the request as
//! [`Seen`]. What else happens is set by a [`Behaviour`]: one for all requests
//! ([`EchoServer::always`]), one for the next few ([`EchoServer::next`]), and request headers:
//!
//! | header | effect |
//! |---|---|
//! | `x-echo-status: 503` | the status of the response |
//! | `x-echo-delay-ms: 50` | a wait before the response's head |
//! | `x-echo-reset: refused_stream` | a reset with this HTTP/2 code (its name or number) instead of a response; over HTTP/1 the connection closes |
//! | `x-echo-reset-after: 100` | with `x-echo-reset`: only after the head and this many bytes |
//! | `x-echo-body-size: 1000` | a body of this many bytes instead of the report |
//! | `x-echo-trailers: a=1,b=2` | trailers |
//! | `x-echo-headers: a=1,b=2` | more response headers |

mod behaviour;
mod journal;
mod service;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::io::DuplexStream;

use crate::net::{Address, Protocol, Server};

pub use behaviour::Behaviour;
pub use journal::Seen;
pub(crate) use journal::{InFlight, Journal};
pub use service::EchoReport;
use service::Echoing;

/// A server that is not bound yet.
#[derive(Clone, Debug)]
pub struct EchoBuilder {
    protocol: Protocol,
    server_id: String,
    always: Behaviour,
    max_streams: Option<u32>,
}

impl EchoBuilder {
    /// The name under which the server reports; `echo` unless told.
    #[must_use]
    pub fn server_id(mut self, id: impl Into<String>) -> Self {
        self.server_id = id.into();
        self
    }

    /// How all requests are answered; see [`EchoServer::always`].
    #[must_use]
    pub fn always(mut self, behaviour: Behaviour) -> Self {
        self.always = behaviour;
        self
    }

    /// `SETTINGS_MAX_CONCURRENT_STREAMS` of HTTP/2 connections.
    #[must_use]
    pub fn max_concurrent_streams(mut self, limit: u32) -> Self {
        self.max_streams = Some(limit);
        self
    }

    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If there is none, or outside a tokio runtime.
    #[must_use]
    pub fn start(self) -> EchoServer {
        self.bind(Address::any()).expect("a free port of 127.0.0.1")
    }

    /// Listens at `at`.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub fn bind(self, at: impl Into<Address>) -> io::Result<EchoServer> {
        let echo = Arc::new(Echoing::new(self.server_id, self.always));
        let answer = Arc::clone(&echo) as _;
        let changes = echo.journal.changes().clone();
        let server = Server::start(at.into(), self.protocol, self.max_streams, answer, changes)?;
        Ok(EchoServer { echo, server })
    }

    /// Listens on a Unix socket; the file is removed when the server stops.
    ///
    /// # Errors
    /// If the path cannot be bound.
    pub fn bind_unix(self, path: &Path) -> io::Result<EchoServer> {
        self.bind(path)
    }
}

/// An HTTP server that reports what it saw. Dropping it stops it.
#[derive(Debug)]
pub struct EchoServer {
    echo: Arc<Echoing>,
    server: Server,
}

impl EchoServer {
    /// A server of HTTP/1.1 alone.
    #[must_use]
    pub fn http1() -> EchoBuilder {
        Self::builder(Protocol::Http1)
    }

    /// A server of HTTP/2 alone, with prior knowledge.
    #[must_use]
    pub fn http2() -> EchoBuilder {
        Self::builder(Protocol::Http2)
    }

    /// A server that speaks what the client begins with.
    #[must_use]
    pub fn auto() -> EchoBuilder {
        Self::builder(Protocol::Auto)
    }

    fn builder(protocol: Protocol) -> EchoBuilder {
        EchoBuilder {
            protocol,
            server_id: "echo".to_owned(),
            always: Behaviour::default(),
            max_streams: None,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.server.address()
    }

    /// The IP address and port where it listens.
    ///
    /// # Panics
    /// If it listens on a Unix socket.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        self.address().socket()
    }

    /// How requests are answered from now on, unless [`next`](Self::next) or headers say otherwise.
    pub fn always(&self, behaviour: Behaviour) {
        self.echo.always(behaviour);
    }

    /// How the next `count` requests are answered. Calls queue up behind each other.
    pub fn next(&self, count: usize, behaviour: Behaviour) {
        self.echo.next(count, behaviour);
    }

    /// Forgets what [`next`](Self::next) was told and has not been used.
    pub fn forget(&self) {
        self.echo.forget();
    }

    /// Leaves requests without an answer until [`release`](Self::release).
    pub fn hold(&self) {
        self.echo.hold(true);
    }

    /// Answers the requests that [`hold`](Self::hold) kept, and new ones at once.
    pub fn release(&self) {
        self.echo.hold(false);
    }

    /// The requests seen so far, oldest first; of very many, the last 10,000.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        self.echo.journal.entries()
    }

    /// How many requests were seen.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.echo.journal.count()
    }

    /// How many requests are being answered now.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.echo.journal.in_flight()
    }

    /// How many requests the client gave up before the response's head.
    #[must_use]
    pub fn cancelled(&self) -> u64 {
        self.echo.journal.cancelled()
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.server.accepted()
    }

    /// How many connections are open now.
    #[must_use]
    pub fn open_connections(&self) -> u64 {
        self.server.open()
    }

    /// Waits until `reached` holds; it is asked again whenever a request or a connection begins or
    /// ends.
    ///
    /// # Panics
    /// After 30 s, naming `what`.
    pub async fn wait_for(&self, what: &str, mut reached: impl FnMut(&Self) -> bool) {
        let changes = self.echo.journal.changes().subscribe();
        crate::waiting::until(changes, what, || reached(self), || format!("{self:?}")).await;
    }

    /// A connection to the server without a socket: what the client writes to and reads from. It is
    /// closed at once if the server is stopped.
    #[must_use]
    pub fn connect_in_memory(&self) -> DuplexStream {
        self.server.connect_in_memory()
    }

    /// Closes the listener and all connections, without a word to the clients.
    pub async fn stop(&self) {
        self.server.stop().await;
    }

    /// Closes all connections abruptly, and goes on listening.
    pub async fn disconnect(&self) {
        self.server.disconnect().await;
    }

    /// Asks all clients to leave (GOAWAY; over HTTP/1 `connection: close`), and goes on listening.
    pub fn goaway(&self) {
        self.server.goaway();
    }

    /// Closes the listener, asks all clients to leave, and waits until they have.
    pub async fn drain(&self) {
        self.server.drain().await;
    }

    /// Stops if need be, and listens again at the same address. The counters go on.
    ///
    /// # Panics
    /// If the address cannot be bound again; the port is kept while the server is stopped.
    pub async fn restart(&self) {
        self.server.restart().await.expect("the same address again");
    }
}
