//! The handle of a connection and its stream slots.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use tokio::sync::Notify;

use crate::body::RequestBody;
use crate::connect::Executor;

use super::send::{self, Http2Send};
use super::shared::Shared;

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

impl Http2Connection {
    pub(super) fn new(
        sender: SendRequest<Bytes>,
        limit: usize,
        executor: Executor,
        changed: Arc<Notify>,
    ) -> (Self, Arc<Shared>) {
        let shared = Arc::new(Shared::new(sender, limit, changed));
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
        if !self.core.shared.try_occupy() {
            return None;
        }
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
            let mut changed = pin!(self.core.shared.changed().notified());
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

    /// Stream slots left: 0 unless open, else the peer's limit (until its SETTINGS are here,
    /// [`Http2Settings::initial_max_streams`](super::Http2Settings::initial_max_streams)) less the
    /// slots taken.
    #[must_use]
    pub fn available(&self) -> usize {
        if self.state() == ConnectionState::Open {
            self.core.shared.limit().saturating_sub(self.in_flight())
        } else {
            0
        }
    }

    /// Stream slots taken: reserved or carrying a request.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.core.shared.in_flight()
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
        self.core.shared.changed()
    }

    /// Completes when the connection takes no more requests. Keeps the connection no longer than
    /// its handles do.
    pub fn ending(&self) -> impl Future<Output = ()> + Send + use<> {
        self.core.shared.clone().reached(ConnectionState::Draining)
    }

    /// Completes when the connection is gone. Keeps the connection no longer than its handles do.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        self.core.shared.clone().reached(ConnectionState::Closed)
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
        self.core.shared.vacate();
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.shared.release();
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Core")
            .field("state", &self.shared.state())
            .field("in_flight", &self.shared.in_flight())
            .field("limit", &self.shared.limit())
            .finish_non_exhaustive()
    }
}
