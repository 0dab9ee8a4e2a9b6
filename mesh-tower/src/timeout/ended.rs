//! Knowing when a request has been wholly sent.

use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use mesh_core::error::BoxError;
use tokio::sync::Notify;

use crate::{body::RequestBody, clock};

/// The moment at which a request body came to its end, once it has.
#[derive(Clone, Debug)]
pub(crate) enum EndOfRequest {
    /// All of it was there already.
    Reached(Instant),
    /// It is followed.
    Followed(Arc<State>),
}

#[derive(Debug, Default)]
pub(crate) struct State {
    at: OnceLock<Instant>,
    reached: Notify,
}

impl EndOfRequest {
    /// Follows `body`, which is wrapped unless it is at its end already or all at hand.
    pub(crate) fn of(body: &mut RequestBody) -> Self {
        if body.as_full().is_some() {
            return Self::Reached(clock::now());
        }
        let end = Arc::<State>::default();
        let inner = std::mem::take(body);
        *body = RequestBody::boxed(Tracked {
            inner,
            end: Arc::clone(&end),
        });
        Self::Followed(end)
    }

    /// When it was, if it was.
    pub(crate) fn at(&self) -> Option<Instant> {
        match self {
            Self::Reached(at) => Some(*at),
            Self::Followed(state) => state.at.get().copied(),
        }
    }

    /// Waits for it.
    pub(crate) async fn wait(&self) -> Instant {
        match self {
            Self::Reached(at) => *at,
            Self::Followed(state) => state.wait().await,
        }
    }
}

impl State {
    async fn wait(&self) -> Instant {
        loop {
            // Registered before the look, so that an end in between is not missed.
            let reached = self.reached.notified();
            if let Some(at) = self.at.get() {
                return *at;
            }
            reached.await;
        }
    }

    fn reach(&self) {
        if self.at.set(clock::now()).is_ok() {
            self.reached.notify_waiters();
        }
    }
}

/// A body that tells when it has ended, or was dropped: nothing more will be sent either way.
struct Tracked {
    inner: RequestBody,
    end: Arc<State>,
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if frame.is_none() || self.inner.is_end_stream() {
            self.end.reach();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.end.reach();
    }
}
