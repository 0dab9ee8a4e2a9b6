//! A streaming body that is kept, up to a limit, while it is sent.
//!
//! One buffer and one cursor an attempt: reading is a loop over a list, never a chain of futures, so
//! a stream of a million frames costs neither stack nor, past the limit, memory.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use mesh_core::error::BoxError;

use crate::body::RequestBody;

/// What a kept frame costs besides its bytes: the frame itself and the list's share of it.
const FRAME_COST: usize = 64;

/// The keeper's side.
#[derive(Debug)]
pub(super) struct Replay(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    source: RequestBody,
    kept: Vec<Kept>,
    room: usize,
    keeping: Keeping,
    // The attempt that may read on; an older one that is still alive reads nothing.
    attempt: u64,
}

#[derive(Clone, Debug)]
enum Kept {
    Data(Bytes),
    Trailers(HeaderMap),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeping {
    /// All that was read is kept.
    Whole,
    /// It grew over the limit, failed, or is no longer needed.
    Given,
}

impl Replay {
    /// Keeps up to `limit` bytes of `source`.
    pub(super) fn new(source: RequestBody, limit: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            source,
            kept: Vec::new(),
            room: limit,
            keeping: Keeping::Whole,
            attempt: 0,
        })))
    }

    /// A body that reads from the start. The one handed out before reads no further.
    pub(super) fn body(&self) -> RequestBody {
        let mut state = lock(&self.0);
        state.attempt += 1;
        let attempt = state.attempt;
        RequestBody::boxed(Attempt {
            state: Arc::clone(&self.0),
            attempt,
            next: 0,
        })
    }

    /// Whether everything read so far is kept.
    pub(super) fn is_whole(&self) -> bool {
        lock(&self.0).keeping == Keeping::Whole
    }

    /// Keeps nothing more; the current body reads on.
    pub(super) fn commit(self) {
        lock(&self.0).keeping = Keeping::Given;
    }
}

/// One attempt's body: first what was kept, then what comes.
struct Attempt {
    state: Arc<Mutex<State>>,
    attempt: u64,
    next: usize,
}

impl Body for Attempt {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let mut state = lock(&this.state);
        if state.attempt != this.attempt {
            return Poll::Ready(Some(Err("this attempt was given up".into())));
        }
        if let Some(kept) = state.kept.get(this.next).cloned() {
            this.next += 1;
            state.forget_read(this.next);
            return Poll::Ready(Some(Ok(kept.into_frame())));
        }
        let frame = std::task::ready!(Pin::new(&mut state.source).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && state.keep(frame)
        {
            this.next += 1;
        }
        if let Some(Err(_)) = &frame {
            state.give_up();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        let state = lock(&self.state);
        self.next >= state.kept.len() && state.source.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // The source's hint no longer counts what was read from it; only its beginning is exact.
        let state = lock(&self.state);
        if state.kept.is_empty() && self.next == 0 {
            state.source.size_hint()
        } else {
            SizeHint::new()
        }
    }
}

impl State {
    /// Keeps a frame, if all before it were kept and there is room.
    fn keep(&mut self, frame: &Frame<Bytes>) -> bool {
        if self.keeping == Keeping::Given {
            return false;
        }
        let kept = match (frame.data_ref(), frame.trailers_ref()) {
            (Some(data), _) => Kept::Data(data.clone()),
            (None, Some(trailers)) => Kept::Trailers(trailers.clone()),
            (None, None) => return false,
        };
        match self.room.checked_sub(kept.cost()) {
            Some(room) => {
                self.room = room;
                self.kept.push(kept);
                true
            }
            None => {
                self.give_up();
                false
            }
        }
    }

    /// Cannot be replayed any more. Frames that the current attempt has still to read stay: this is
    /// called only once it has read them all.
    fn give_up(&mut self) {
        self.keeping = Keeping::Given;
        self.kept = Vec::new();
    }

    /// Frees the buffer once a body that is no longer kept has been read up to its end.
    fn forget_read(&mut self, next: usize) {
        if self.keeping == Keeping::Given && next >= self.kept.len() {
            self.kept = Vec::new();
        }
    }
}

impl Kept {
    fn cost(&self) -> usize {
        FRAME_COST
            + match self {
                Self::Data(data) => data.len(),
                Self::Trailers(map) => map.iter().map(|(n, v)| n.as_str().len() + v.len()).sum(),
            }
    }

    fn into_frame(self) -> Frame<Bytes> {
        match self {
            Self::Data(data) => Frame::data(data),
            Self::Trailers(trailers) => Frame::trailers(trailers),
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A panic in a body's poll ends that request; the buffer is consistent between its steps.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
