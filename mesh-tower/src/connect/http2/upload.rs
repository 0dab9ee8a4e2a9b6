//! A request body that is still going out when the response begins.
//!
//! It moves to a task of its own: callers of bidirectional streams write requests without reading
//! the response at the same time, and would wait for ever if only reading moved the upload.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use h2::Reason;

use crate::body::BoxError;

use super::connection::Slot;
use super::pump::{Pump, PumpEnd};

const RUNNING: u8 = 0;
const COMPLETE: u8 = 1;
const CANCELLED: u8 = 2;

/// The response's hold on an upload. Dropping it ends the upload and resets the stream.
#[derive(Debug)]
pub(super) struct Upload {
    link: Arc<Link>,
    /// Shared with the task: the stream is open until both halves are done.
    slot: Arc<Slot>,
}

#[derive(Debug, Default)]
struct Link {
    /// How the response ended, if it has.
    response: AtomicU8,
    task: AtomicWaker,
    error: Mutex<Option<BoxError>>,
}

struct UploadTask {
    link: Arc<Link>,
    ended: bool,
    // Before the slot: the stream must be over when the slot is freed.
    pump: Pump,
    _slot: Arc<Slot>,
}

impl Upload {
    pub(super) fn spawn(pump: Pump, slot: Slot) -> Self {
        let link = Arc::new(Link::default());
        let slot = Arc::new(slot);
        slot.core().executor.spawn(UploadTask {
            link: link.clone(),
            ended: false,
            pump,
            _slot: slot.clone(),
        });
        Self { link, slot }
    }

    pub(super) fn slot(&self) -> &Slot {
        &self.slot
    }

    /// The peer has answered in full and needs no more of the request.
    pub(super) fn response_complete(&self) {
        self.end(COMPLETE);
    }

    /// The error of the request body, if that is what ended the stream.
    pub(super) fn take_error(&self) -> Option<BoxError> {
        self.link
            .error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn end(&self, how: u8) {
        // AcqRel pairs with the task's load: it registers its waker first, so it sees either this
        // value or the wake-up. The first ending stays.
        let first =
            self.link
                .response
                .compare_exchange(RUNNING, how, Ordering::AcqRel, Ordering::Acquire);
        if first.is_ok() {
            self.link.task.wake();
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.end(CANCELLED);
    }
}

impl UploadTask {
    fn fail(&mut self, error: BoxError) {
        // Before the reset: its receiver asks for the error.
        *self
            .link
            .error
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.pump.reset(Reason::CANCEL);
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.link.task.register(cx.waker());
        match self.link.response.load(Ordering::Acquire) {
            RUNNING => {
                if let PumpEnd::Failed(error) = std::task::ready!(self.pump.poll(cx)) {
                    self.fail(error);
                }
            }
            // As grpc-go: NO_ERROR says that nothing went wrong (RFC 9113 section 8.1).
            COMPLETE => self.pump.reset(Reason::NO_ERROR),
            _ => self.pump.reset(Reason::CANCEL),
        }
        Poll::Ready(())
    }
}

impl Future for UploadTask {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        std::task::ready!(this.poll_end(cx));
        this.ended = true;
        Poll::Ready(())
    }
}

impl Drop for UploadTask {
    fn drop(&mut self) {
        // Not run to its end: the executor is gone or the body panicked. Without this the peer
        // would wait for the rest of the request.
        if !self.ended {
            self.fail("the upload's task was dropped".into());
        }
    }
}
