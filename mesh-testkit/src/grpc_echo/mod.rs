//! A gRPC server that reports what it saw, and fails on request.
//!
//! It serves `mesh.test.v1.Echo`, all four kinds of call. A request's own fields script its answer
//! (`fail_with_code`, `delay_ms`, `repeat`); [`GrpcEcho`]'s methods script the server. Every
//! response carries `server-id` in its trailing metadata.

mod service;
mod shape;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::DuplexStream;
use tonic::Code;

use crate::echo::Seen;
use crate::net::{Address, Protocol, Server};

use shape::{Script, Shaping};

/// A gRPC server that is not bound yet.
#[derive(Clone, Debug)]
pub struct GrpcEchoBuilder {
    server_id: String,
    max_streams: Option<u32>,
}

impl GrpcEchoBuilder {
    /// The name under which the server reports; `echo` unless told.
    #[must_use]
    pub fn server_id(mut self, id: impl Into<String>) -> Self {
        self.server_id = id.into();
        self
    }

    /// `SETTINGS_MAX_CONCURRENT_STREAMS` of its connections.
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
    pub fn start(self) -> GrpcEcho {
        self.bind(Address::any()).expect("a free port of 127.0.0.1")
    }

    /// Listens at `at`: a socket address, or a path for a Unix socket.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub fn bind(self, at: impl Into<Address>) -> io::Result<GrpcEcho> {
        let shaping = Arc::new(Shaping::new(self.server_id));
        let answer = Arc::clone(&shaping) as _;
        let changes = shaping.journal.changes().clone();
        let (at, streams) = (at.into(), self.max_streams);
        let server = Server::start(at, Protocol::Http2, streams, answer, changes)?;
        Ok(GrpcEcho { shaping, server })
    }
}

/// A gRPC server that reports what it saw. Dropping it stops it.
#[derive(Debug)]
pub struct GrpcEcho {
    shaping: Arc<Shaping>,
    server: Server,
}

impl GrpcEcho {
    /// A server to be bound.
    #[must_use]
    pub fn builder() -> GrpcEchoBuilder {
        GrpcEchoBuilder {
            server_id: "echo".to_owned(),
            max_streams: None,
        }
    }

    /// A server of this name on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If there is none, or outside a tokio runtime.
    #[must_use]
    pub fn start(server_id: &str) -> Self {
        Self::builder().server_id(server_id).start()
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

    /// Fails the next `count` calls with `code`, before they are served: by trailers alone, or
    /// after headers if [`fail_after_headers`](Self::fail_after_headers) is on.
    pub fn fail_next(&self, count: usize, code: Code) {
        self.script(|script| script.fail_next.push(count, code));
    }

    /// Fails every call with `code`; `None` ends it.
    pub fn fail_always(&self, code: Option<Code>) {
        self.script(|script| script.fail_always = code);
    }

    /// Answers the next `count` calls with `RST_STREAM` and this code, before any headers.
    pub fn reset_next(&self, count: usize, reason: h2::Reason) {
        self.script(|script| script.reset_next.push(count, reason));
    }

    /// Refuses the next `count` streams (`REFUSED_STREAM`): the client may try them again.
    pub fn refuse_streams_next(&self, count: usize) {
        self.reset_next(count, h2::Reason::REFUSED_STREAM);
    }

    /// Whether a scripted failure sends headers before its trailers. A client may retry only a call
    /// that failed by trailers alone.
    pub fn fail_after_headers(&self, on: bool) {
        self.script(|script| script.fail_after_headers = on);
    }

    /// Adds `grpc-retry-pushback-ms` to failures; `None` ends it. Negative: do not retry.
    pub fn pushback(&self, ms: Option<i64>) {
        self.script(|script| script.pushback = ms);
    }

    /// Adds a text entry to the trailing metadata of every call.
    ///
    /// # Panics
    /// If key or value are not valid.
    pub fn trailing_metadata(&self, key: &str, value: &str) {
        let key: http::HeaderName = key.parse().expect("a valid metadata key");
        let value = value.parse().expect("a valid metadata value");
        self.script(|script| script.trailers.append(key, value));
    }

    /// Waits this long before every answer.
    pub fn delay(&self, delay: Duration) {
        self.script(|script| script.delay = delay);
    }

    /// Leaves calls without an answer until [`release`](Self::release).
    pub fn hold(&self) {
        self.shaping.held.send_replace(true);
    }

    /// Answers the calls that [`hold`](Self::hold) kept, and new ones at once.
    pub fn release(&self) {
        self.shaping.held.send_replace(false);
    }

    /// The calls seen so far, oldest first; of very many, the last 10,000. Bodies are left out.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        self.shaping.journal.entries()
    }

    /// How many calls were seen, failed and refused ones too.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.shaping.journal.count()
    }

    /// How many calls are open now.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.shaping.journal.in_flight()
    }

    /// How many calls the client gave up before their trailers.
    #[must_use]
    pub fn cancelled(&self) -> u64 {
        self.shaping.journal.cancelled()
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

    /// Waits until `reached` holds; it is asked again whenever a call or a connection begins or
    /// ends.
    ///
    /// # Panics
    /// After 30 s, naming `what`.
    pub async fn wait_for(&self, what: &str, mut reached: impl FnMut(&Self) -> bool) {
        let changes = self.shaping.journal.changes().subscribe();
        crate::waiting::until(changes, what, || reached(self), || format!("{self:?}")).await;
    }

    /// A connection to the server without a socket; closed at once if the server is stopped.
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

    /// Sends GOAWAY on all connections, and goes on listening.
    pub fn goaway(&self) {
        self.server.goaway();
    }

    /// Closes the listener, sends GOAWAY, and waits until all calls and connections have ended.
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

    fn script<T>(&self, act: impl FnOnce(&mut Script) -> T) -> T {
        self.shaping.with_script(act)
    }
}
