//! The handle of a connection and its stream slots.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use h2::client::SendRequest;
use http::Request;
use tokio::sync::Notify;

use crate::body::RequestBody;
use crate::connect::Executor;

use super::send::{self, Http2Send};

/// A client connection. Cheap to clone; the connection closes when the last clone is gone and no
/// stream is open.
#[derive(Clone, Debug)]
pub struct Http2Connection {
    core: Arc<Core>,
}

/// Whether a connection takes new requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// It does.
    Open,
    /// It finishes its open streams only: the peer sent GOAWAY, stream ids ran out, or
    /// [`Http2Connection::shutdown`] was called.
    Draining,
    /// It is gone.
    Closed,
}

/// The right to send one request: one of the streams that the peer allows.
///
/// Dropping it unused gives the slot back.
#[derive(Debug)]
#[must_use = "dropping the permit gives the stream slot back"]
pub struct StreamPermit {
    slot: Slot,
}

/// An occupied stream slot, freed when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    core: Arc<Core>,
}

/// Held by handles and open streams; its end releases the connection.
pub(super) struct Core {
    pub(super) shared: Arc<Shared>,
    pub(super) executor: Executor,
}

/// What the handles and the driver share.
pub(super) struct Shared {
    /// `None` after shutdown: h2 closes a connection only when no sender is left.
    sender: Mutex<Option<SendRequest<Bytes>>>,
    /// A `ConnectionState`. Stored after everything it promises; it only grows.
    state: AtomicU8,
    limit: AtomicUsize,
    in_flight: AtomicUsize,
    changed: Arc<Notify>,
    closed: Notify,
    driver: AtomicWaker,
    cause: OnceLock<Box<str>>,
}

impl Http2Connection {
    pub(super) fn new(
        sender: SendRequest<Bytes>,
        limit: usize,
        executor: Executor,
        changed: Arc<Notify>,
    ) -> (Self, Arc<Shared>) {
        let shared = Arc::new(Shared {
            sender: Mutex::new(Some(sender)),
            state: AtomicU8::new(ConnectionState::Open as u8),
            limit: AtomicUsize::new(limit),
            in_flight: AtomicUsize::new(0),
            changed,
            closed: Notify::new(),
            driver: AtomicWaker::new(),
            cause: OnceLock::new(),
        });
        let core = Arc::new(Core {
            shared: shared.clone(),
            executor,
        });
        (Self { core }, shared)
    }

    /// Takes a stream slot, or `None` when the peer's limit is reached or the connection does not
    /// take new requests.
    #[must_use]
    pub fn try_reserve(&self) -> Option<StreamPermit> {
        let shared = &self.core.shared;
        if shared.state() != ConnectionState::Open {
            return None;
        }
        let limit = shared.limit.load(Ordering::Relaxed);
        // Relaxed: the count guards no memory, only the number of streams.
        shared
            .in_flight
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| {
                (n < limit).then_some(n + 1)
            })
            .ok()?;
        Some(StreamPermit {
            slot: Slot {
                core: self.core.clone(),
            },
        })
    }

    /// Waits for a stream slot; `None` once the connection takes no new requests.
    ///
    /// Only for a connection with a `changed` of its own: on a shared one it would take the
    /// wake-ups of other connections' waiters.
    pub async fn reserve(&self) -> Option<StreamPermit> {
        loop {
            let mut changed = pin!(self.core.shared.changed.notified());
            // Registered before the attempt, so that a slot freed in between wakes us.
            changed.as_mut().enable();
            if let Some(permit) = self.try_reserve() {
                return Some(permit);
            }
            if self.state() != ConnectionState::Open {
                return None;
            }
            changed.await;
        }
    }

    /// Stream slots left: 0 unless open, else the peer's limit (100 until its SETTINGS are here)
    /// less the slots taken.
    #[must_use]
    pub fn available(&self) -> usize {
        if self.state() == ConnectionState::Open {
            let shared = &self.core.shared;
            let limit = shared.limit.load(Ordering::Relaxed);
            limit.saturating_sub(self.in_flight())
        } else {
            0
        }
    }

    /// Stream slots taken: reserved or carrying a request.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.core.shared.in_flight.load(Ordering::Relaxed)
    }

    /// Whether the connection takes new requests.
    #[must_use]
    pub fn state(&self) -> ConnectionState {
        self.core.shared.state()
    }

    /// Notified once for each slot that is freed, and wakes all waiters when the peer raises its
    /// limit or the state changes. Register (`enable`) before trying again.
    #[must_use]
    pub fn changed(&self) -> &Arc<Notify> {
        &self.core.shared.changed
    }

    /// Completes when the connection is gone. Keeps the connection no longer than its handles do.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        let shared = self.core.shared.clone();
        async move {
            let mut closed = pin!(shared.closed.notified());
            closed.as_mut().enable();
            if shared.state() != ConnectionState::Closed {
                closed.await;
            }
        }
    }

    /// Why the connection is gone, once it is.
    #[must_use]
    pub fn close_cause(&self) -> Option<&str> {
        self.core.shared.cause()
    }

    /// Takes no new requests, lets the open streams finish, then closes with a GOAWAY.
    pub fn shutdown(&self) {
        self.core.shared.raise(ConnectionState::Draining);
        self.core.shared.release();
    }
}

impl StreamPermit {
    /// Sends `request` on this permit's stream.
    ///
    /// The request's URI must have a scheme and an authority; `host` and hop-by-hop headers are
    /// removed. The headers are queued before this returns; the future resolves to the response,
    /// and dropping it resets the stream with CANCEL.
    pub fn send(self, request: Request<RequestBody>) -> Http2Send {
        send::start(self.slot, request)
    }
}

impl Slot {
    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.core.shared
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.core.shared.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.core.shared.changed.notify_one();
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.shared.release();
    }
}

impl Shared {
    pub(super) fn state(&self) -> ConnectionState {
        match self.state.load(Ordering::Acquire) {
            0 => ConnectionState::Open,
            1 => ConnectionState::Draining,
            _ => ConnectionState::Closed,
        }
    }

    /// Moves to `state` unless already there or beyond, and tells those who wait.
    pub(super) fn raise(&self, state: ConnectionState) {
        if self.state.fetch_max(state as u8, Ordering::AcqRel) < state as u8 {
            self.changed.notify_waiters();
            if state == ConnectionState::Closed {
                self.closed.notify_waiters();
            }
        }
    }

    /// Ends the connection for all handles; the first cause stays.
    pub(super) fn close(&self, cause: &str) {
        let _ = self.cause.set(cause.into());
        self.take_sender();
        self.raise(ConnectionState::Closed);
    }

    pub(super) fn cause(&self) -> Option<&str> {
        self.cause.get().map(AsRef::as_ref)
    }

    /// A sender of its own for one request: the original would remember its last stream and keep
    /// it from being cancelled.
    pub(super) fn sender(&self) -> Option<SendRequest<Bytes>> {
        self.sender
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// True once no further request can be sent.
    pub(super) fn is_released(&self) -> bool {
        self.sender
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none()
    }

    pub(super) fn publish_limit(&self, limit: usize) {
        if self.limit.swap(limit, Ordering::Relaxed) < limit {
            self.changed.notify_waiters();
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn register_driver(&self, waker: &Waker) {
        self.driver.register(waker);
    }

    fn release(&self) {
        self.take_sender();
        self.driver.wake();
    }

    fn take_sender(&self) {
        let sender = self
            .sender
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Outside the lock: dropping a sender takes h2's own.
        drop(sender);
    }
}

/// Whether h2 would refuse any new stream: a GOAWAY, an error, or no stream id left.
pub(super) fn is_refusing(sender: &mut SendRequest<Bytes>) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    matches!(sender.poll_ready(&mut cx), Poll::Ready(Err(_)))
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Core")
            .field("state", &self.shared.state())
            .field("in_flight", &self.shared.in_flight())
            .field("limit", &self.shared.limit.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}
