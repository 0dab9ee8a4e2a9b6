//! An HTTP server that can be stopped, drained and started again at the same address.

use std::error::Error;
use std::fmt;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::DuplexStream;
use tokio::net::TcpSocket;
use tokio::sync::watch;

use super::{Address, Io, Listener, Tasks, reserve};
use crate::waiting::bump;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Failure>> + Send>>;

/// What a server says to a request.
pub(crate) trait Answer: Send + Sync + 'static {
    /// Answers one request of the connection with this number. An error that carries an
    /// [`h2::Reason`] resets the stream with it; over HTTP/1 any error closes the connection.
    fn answer(self: Arc<Self>, connection: u64, request: Request<Incoming>) -> Answering;
}

/// Why a request got no answer. hyper asks its source for the HTTP/2 code.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) BoxError);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no answer")
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref())
    }
}

/// Which HTTP a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
    /// Whichever the client begins with.
    Auto,
}

/// A body of one piece.
pub(crate) fn full(data: impl Into<Bytes>) -> Body {
    Full::new(data.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A server; dropping it stops it.
pub(crate) struct Server {
    at: Address,
    serving: Serving,
    /// The accepting task, while the server runs.
    listening: Mutex<Option<Tasks>>,
    /// Keeps the port while the server is stopped.
    _reserved: Option<TcpSocket>,
}

/// What it takes to serve a connection.
#[derive(Clone)]
struct Serving {
    builder: auto::Builder<Tasks>,
    tasks: Tasks,
    answer: Arc<dyn Answer>,
    counters: Arc<Counters>,
    changes: watch::Sender<u64>,
    goaway: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Counters {
    accepted: AtomicU64,
    open: AtomicU64,
}

impl Server {
    /// Listens at `at` and serves. `changes` is bumped at each connection and disconnection.
    pub(crate) fn start(
        at: Address,
        protocol: Protocol,
        max_streams: Option<u32>,
        answer: Arc<dyn Answer>,
        changes: watch::Sender<u64>,
    ) -> io::Result<Self> {
        let (at, reserved) = match at {
            Address::Tcp(at) => {
                let (socket, at) = reserve(at, true)?;
                (Address::Tcp(at), Some(socket))
            }
            unix @ Address::Unix(_) => (unix, None),
        };
        let tasks = Tasks::default();
        let server = Self {
            at,
            serving: Serving {
                builder: builder(&tasks, protocol, max_streams),
                tasks,
                answer,
                counters: Arc::default(),
                changes,
                goaway: watch::Sender::default(),
            },
            listening: Mutex::default(),
            _reserved: reserved,
        };
        server.listen()?;
        Ok(server)
    }

    pub(crate) fn address(&self) -> &Address {
        &self.at
    }

    /// Connections accepted since the server was made, over all restarts.
    pub(crate) fn accepted(&self) -> u64 {
        self.serving.counters.accepted.load(Ordering::SeqCst)
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> u64 {
        self.serving.counters.open.load(Ordering::SeqCst)
    }

    /// Serves a connection that was not accepted here, and gives its other end. It is closed at once
    /// if the server is stopped.
    pub(crate) fn connect_in_memory(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(64 * 1024);
        if self.lock().is_some() {
            self.serving.begin(Box::new(far));
        }
        near
    }

    /// Closes the listener and all connections, without a word to the peers.
    pub(crate) async fn stop(&self) {
        self.stop_listening().await;
        self.serving.tasks.clear().await;
    }

    /// Closes all connections abruptly and goes on listening.
    pub(crate) async fn disconnect(&self) {
        self.serving.tasks.clear().await;
    }

    /// Asks all clients to leave (GOAWAY; over HTTP/1 `connection: close`), and goes on listening.
    pub(crate) fn goaway(&self) {
        self.serving.goaway.send_replace(());
    }

    /// Closes the listener, asks all clients to leave, and waits until they have.
    pub(crate) async fn drain(&self) {
        self.stop_listening().await;
        self.goaway();
        self.serving.tasks.join().await;
    }

    /// Stops, and listens again at the same address.
    pub(crate) async fn restart(&self) -> io::Result<()> {
        self.stop().await;
        self.listen()
    }

    fn listen(&self) -> io::Result<()> {
        let listener = Listener::bind(&self.at)?;
        let (serving, listening) = (self.serving.clone(), Tasks::default());
        listening.spawn(async move {
            loop {
                match listener.accept().await {
                    Ok(io) => serving.begin(io),
                    // Out of descriptors, or a client that left before it was accepted.
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        });
        *self.lock() = Some(listening);
        Ok(())
    }

    async fn stop_listening(&self) {
        let listening = self.lock().take();
        if let Some(listening) = listening {
            listening.clear().await;
            self.remove_file();
        }
    }

    fn remove_file(&self) {
        if let Address::Unix(path) = &self.at {
            let _ = std::fs::remove_file(path);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Tasks>> {
        self.listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let listening = self.lock().take();
        if let Some(listening) = listening {
            listening.abort();
            self.remove_file();
        }
        self.serving.tasks.abort();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("at", &self.at)
            .field("accepted", &self.accepted())
            .field("open", &self.open())
            .finish_non_exhaustive()
    }
}

impl Serving {
    fn begin(&self, io: Box<dyn Io>) {
        let number = self.counters.accepted.fetch_add(1, Ordering::SeqCst) + 1;
        let open = Open::new(self);
        // Subscribed here and not in the task: a GOAWAY may come before the task first runs.
        let mut goaway = self.goaway.subscribe();
        let serving = self.clone();
        self.tasks.spawn(async move {
            let _open = open;
            let answer = serving.answer;
            let service = service_fn(move |request| Arc::clone(&answer).answer(number, request));
            let connection = serving.builder.serve_connection(TokioIo::new(io), service);
            let mut connection = pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => return,
                _ = goaway.changed() => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        });
    }
}

/// Counts a connection as open while it lives.
struct Open {
    counters: Arc<Counters>,
    changes: watch::Sender<u64>,
}

impl Open {
    fn new(serving: &Serving) -> Self {
        serving.counters.open.fetch_add(1, Ordering::SeqCst);
        bump(&serving.changes);
        Self {
            counters: Arc::clone(&serving.counters),
            changes: serving.changes.clone(),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.counters.open.fetch_sub(1, Ordering::SeqCst);
        bump(&self.changes);
    }
}

fn builder(tasks: &Tasks, protocol: Protocol, max_streams: Option<u32>) -> auto::Builder<Tasks> {
    let mut builder = auto::Builder::new(tasks.clone());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    if max_streams.is_some() {
        builder.http2().max_concurrent_streams(max_streams);
    }
    match protocol {
        Protocol::Http1 => builder.http1_only(),
        Protocol::Http2 => builder.http2_only(),
        Protocol::Auto => builder,
    }
}
