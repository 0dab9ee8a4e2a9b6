//! The driver: the only part of the client that does I/O.
//!
//! It holds one ADS stream to the current control plane and turns the state machine: what comes is
//! read one message at a time, each only after the one before it was taken into the graph and
//! answered. It has no task of its own and no clock but tokio's.
//!
//! Servers of the bootstrap behind the first are there to fall back to (gRFC A71). An authority
//! (gRFC A47) is served by the same servers; one with others is refused with a text that says so.

mod channel;
mod client;
mod decoder;
mod fallback;
mod options;
mod repeats;
mod stream;

use std::{
    fmt,
    future::{Future, pending},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use mesh_core::bounds::Bound;
use tokio::time::{sleep_until, timeout};
use tracing::debug;

pub use self::{
    channel::{BoxError, Channel, Connector, RequestBody},
    options::XdsOptions,
};
pub(crate) use self::{
    client::{Client, Turned},
    decoder::Decoder,
};
use self::{fallback::Probe, stream::AdsStream};
use crate::{
    bootstrap::Bootstrap,
    protocol::{AdsResponse, Variant},
    source::{Handle, Shared},
};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Keeps an [`XdsSource`](crate::XdsSource) fed: a future for the embedder to spawn.
///
/// It ends when the last source and the last watch are gone, closing its stream. Dropped before
/// that, it leaves watches with what they know, and [`ConfigWatch::changed`] says that there will
/// be no more.
///
/// [`ConfigWatch::changed`]: mesh_core::source::ConfigWatch::changed
#[must_use = "nothing happens unless it is spawned or awaited"]
pub struct XdsDriver(Pin<Box<dyn Future<Output = ()> + Send>>);

impl XdsDriver {
    pub(crate) fn new(
        bootstrap: Arc<Bootstrap>,
        shared: Arc<Shared>,
        handle: std::sync::Weak<Handle>,
        connector: impl Connector,
        variant: Variant,
        max_message_size: usize,
    ) -> Self {
        let run = Run {
            bootstrap,
            closing: Closing(shared),
            handle,
            connector: Arc::new(connector),
            variant,
            max_message_size,
        };
        Self(Box::pin(run.run()))
    }
}

impl Future for XdsDriver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for XdsDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XdsDriver").finish_non_exhaustive()
    }
}

/// What a driver runs with.
struct Run {
    bootstrap: Arc<Bootstrap>,
    closing: Closing,
    handle: std::sync::Weak<Handle>,
    connector: Arc<dyn Connector>,
    variant: Variant,
    max_message_size: usize,
}

/// Tells the sources that the driver is gone, however it went.
struct Closing(Arc<Shared>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The way to the control plane.
enum Link {
    Down,
    Connecting(Pin<Box<dyn Future<Output = Result<Channel, BoxError>> + Send>>),
    Up(AdsStream),
}

/// What ended a wait.
enum Happened {
    /// Targets changed, time passed, or there is room for requests: have a look.
    Look,
    Connected(Channel),
    Received(AdsResponse),
    Closed(String),
    /// A preferred server answers.
    Better(usize),
}

impl Run {
    async fn run(self) {
        let shared = &self.closing.0;
        let mut link = Link::Down;
        let mut probe: Option<Probing> = None;
        loop {
            if self.handle.strong_count() == 0 {
                debug!("no xDS source and no watch is left: the driver ends");
                return;
            }
            let turned = shared.turn(now());
            let place = shared.with_client(|client| client.server_index());
            if turned.connect {
                link = self.connect(place);
            }
            if probe.as_ref().map_or(0, |probe| probe.of) != place {
                probe = (place > 0).then(|| Probing {
                    of: place,
                    better: self.probe().better_than(place),
                });
            }
            let blocked = send_requests(&mut link, shared);
            // A server may read no further before it is read from: where there is no room for an
            // answer, the next response is taken all the same, or both would wait for ever.
            let (wants_response, timer) = shared
                .with_client(|client| (client.ads().wants_response(), client.ads().poll_timeout()));
            let happened = tokio::select! {
                happened = link.next(wants_response || blocked, blocked) => happened,
                better = answered(&mut probe) => Happened::Better(better),
                () = shared.woken() => Happened::Look,
                () = until(timer) => Happened::Look,
            };
            self.handle(happened, place, &mut link);
        }
    }

    fn probe(&self) -> Probe {
        Probe {
            bootstrap: Arc::clone(&self.bootstrap),
            shared: Arc::clone(&self.closing.0),
            connector: Arc::clone(&self.connector),
            variant: self.variant,
            max_message_size: self.max_message_size,
        }
    }

    fn connect(&self, place: usize) -> Link {
        let server = &self.bootstrap.servers()[place].server;
        debug!(server = &*server.uri, "connecting to the xDS server");
        let connecting = self.connector.connect(server);
        Link::Connecting(Box::pin(async move {
            match timeout(CONNECT_TIMEOUT, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(format!("no connection within {CONNECT_TIMEOUT:?}").into()),
            }
        }))
    }

    fn handle(&self, happened: Happened, place: usize, link: &mut Link) {
        let shared = &self.closing.0;
        let server = &self.bootstrap.servers()[place].server;
        let now = now();
        match happened {
            Happened::Look => {}
            Happened::Connected(channel) => {
                debug!(server = &*server.uri, "the xDS stream opens");
                let stream = AdsStream::open(channel, server, self.variant, self.max_message_size);
                *link = Link::Up(stream);
                shared.with_client(|client| client.handle_connected(now));
            }
            Happened::Received(response) => {
                shared.with_client(|client| client.handle_response(response, now));
            }
            Happened::Closed(reason) => {
                *link = Link::Down;
                shared.with_client(|client| client.handle_closed(now, &reason));
            }
            Happened::Better(better) => {
                *link = Link::Down;
                shared.with_client(|client| client.switch_to(better));
            }
        }
    }
}

/// The wait for a server that is preferred to the one in use.
struct Probing {
    /// The place of the one in use.
    of: usize,
    better: Pin<Box<dyn Future<Output = usize> + Send>>,
}

/// Waits for a probe, if there is one.
async fn answered(probe: &mut Option<Probing>) -> usize {
    match probe {
        Some(probe) => probe.better.as_mut().await,
        None => pending().await,
    }
}

/// Hands requests to the stream while there is room. True if there was none.
fn send_requests(link: &mut Link, shared: &Shared) -> bool {
    let now = now();
    shared.with_client(|client| {
        let Link::Up(stream) = link else {
            // Nothing to send; but what nobody wants any more is forgotten by asking.
            let _ = client.poll_request(now);
            return false;
        };
        loop {
            let Ok(room) = stream.requests.try_reserve() else {
                return true;
            };
            match client.poll_request(now) {
                Some(request) => room.send(request),
                None => return false,
            }
        }
    })
}

impl Link {
    /// Waits for the other side. Responses are read only if they are wanted; room for requests is
    /// waited for only if there was none.
    async fn next(&mut self, wants_response: bool, blocked: bool) -> Happened {
        match self {
            Self::Down => pending().await,
            Self::Connecting(connecting) => match connecting.as_mut().await {
                Ok(channel) => Happened::Connected(channel),
                Err(error) => Happened::Closed(chain(&*error)),
            },
            Self::Up(stream) => {
                tokio::select! {
                    response = stream.responses.next(), if wants_response => match response {
                        Some(Ok(response)) => Happened::Received(response),
                        Some(Err(status)) => {
                            if is_too_large(&status) {
                                Bound::AdsMessage.exceeded();
                            }
                            Happened::Closed(describe(&status))
                        }
                        None => Happened::Closed("the server ended the stream".to_owned()),
                    },
                    room = stream.requests.reserve(), if blocked => match room {
                        Ok(_) => Happened::Look,
                        Err(_) => Happened::Closed("the connection is gone".to_owned()),
                    },
                    else => pending().await,
                }
            }
        }
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

async fn until(timer: Option<Instant>) {
    match timer {
        Some(at) => sleep_until(tokio::time::Instant::from_std(at)).await,
        None => pending().await,
    }
}

/// Whether a message was over the bound of ours, which tonic tells by its text alone. A test fails if it
/// changes.
fn is_too_large(status: &tonic::Status) -> bool {
    status.code() == tonic::Code::OutOfRange
        && status
            .message()
            .contains("decoded message length too large")
}

/// A status in words: its code, its message, and what caused it.
fn describe(status: &tonic::Status) -> String {
    let mut text = format!("{:?}", status.code());
    if !status.message().is_empty() {
        text.push_str(": ");
        text.push_str(status.message());
    }
    if let Some(source) = std::error::Error::source(status) {
        text.push_str(": ");
        text.push_str(&chain(source));
    }
    text
}

/// An error and its causes; one that repeats its cause is written once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
