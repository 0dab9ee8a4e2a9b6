//! What the handles of a connection and its driver share.

use std::pin::pin;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use h2::client::SendRequest;
use tokio::sync::Notify;

use super::connection::ConnectionState;

/// Limits, state and the way to open streams.
pub(super) struct Shared {
    /// `None` after shutdown: h2 closes a connection only when no sender is left.
    sender: Mutex<Option<SendRequest<Bytes>>>,
    /// A `ConnectionState`. Stored after everything it promises; it only grows.
    state: AtomicU8,
    limit: AtomicUsize,
    in_flight: AtomicUsize,
    changed: Arc<Notify>,
    raised: Notify,
    driver: AtomicWaker,
    cause: OnceLock<Box<str>>,
}

impl Shared {
    pub(super) fn new(sender: SendRequest<Bytes>, limit: usize, changed: Arc<Notify>) -> Self {
        Self {
            sender: Mutex::new(Some(sender)),
            state: AtomicU8::new(ConnectionState::Open as u8),
            limit: AtomicUsize::new(limit),
            in_flight: AtomicUsize::new(0),
            changed,
            raised: Notify::new(),
            driver: AtomicWaker::new(),
            cause: OnceLock::new(),
        }
    }

    /// Takes a stream slot, if the state and the limit allow.
    pub(super) fn try_occupy(&self) -> bool {
        if self.state() != ConnectionState::Open {
            return false;
        }
        let limit = self.limit();
        // Relaxed: the count guards no memory, only the number of streams.
        self.in_flight
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| {
                (n < limit).then_some(n + 1)
            })
            .is_ok()
    }

    /// Gives a slot back.
    pub(super) fn vacate(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.changed.notify_one();
    }

    pub(super) fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    pub(super) fn changed(&self) -> &Arc<Notify> {
        &self.changed
    }

    /// Waits until the connection is in `state` or beyond.
    pub(super) async fn reached(self: Arc<Self>, state: ConnectionState) {
        loop {
            let mut raised = pin!(self.raised.notified());
            // Registered before the look, so that a change in between is not missed.
            raised.as_mut().enable();
            if self.state() as u8 >= state as u8 {
                return;
            }
            raised.await;
        }
    }

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
            self.raised.notify_waiters();
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

    /// Lets the connection end once its streams have.
    pub(super) fn release(&self) {
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
