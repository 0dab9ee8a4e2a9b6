//! A streaming body that is kept, up to a limit, while it is sent.
//!
//! One buffer and one cursor: reading is a loop over a list, never a chain of futures, so a stream
//! of a million frames costs neither stack nor, past the limit, memory.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use mesh_core::{bounds::Bound, error::BoxError};

use crate::body::{RequestBody, longer};

/// What a kept frame costs besides its bytes: the frame itself and the list's share of it.
const FRAME_COST: usize = 64;

/// The keeper's side.
#[derive(Debug)]
pub(super) struct Replay(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    source: RequestBody,
    // A source need not tolerate a poll after its end.
    ended: bool,
    kept: VecDeque<Kept>,
    // How much of `kept` the current attempt has read; nothing that is given is read twice.
    read: usize,
    room: usize,
    keeping: Keeping,
    // The attempt that may read; an older one that is still alive reads nothing.
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
            ended: false,
            kept: VecDeque::new(),
            read: 0,
            room: limit,
            keeping: Keeping::Whole,
            attempt: 0,
        })))
    }

    /// A body that reads from the start. The one handed out before reads no further.
    pub(super) fn body(&self) -> RequestBody {
        let mut state = lock(&self.0);
        state.attempt += 1;
        state.read = 0;
        RequestBody::boxed(Attempt {
            state: Arc::clone(&self.0),
            attempt: state.attempt,
        })
    }

    /// Stops the body handed out last, and says whether [`Self::body`] can start over. In one step:
    /// an upload still under way could otherwise outgrow the limit between the answer and the act.
    pub(super) fn rewind(&self) -> bool {
        let mut state = lock(&self.0);
        let whole = state.keeping == Keeping::Whole;
        if whole {
            state.attempt += 1;
        }
        whole
    }

    /// Keeps nothing more; the current body reads on.
    pub(super) fn commit(self) {
        lock(&self.0).give();
    }
}

/// One attempt's body: first what was kept, then what comes.
struct Attempt {
    state: Arc<Mutex<State>>,
    attempt: u64,
}

impl Body for Attempt {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut state = lock(&self.state);
        if state.attempt != self.attempt {
            return Poll::Ready(Some(Err("this attempt was given up".into())));
        }
        if let Some(kept) = state.next_kept() {
            return Poll::Ready(Some(Ok(kept.into_frame())));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        let frame = std::task::ready!(Pin::new(&mut state.source).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => state.keep(frame),
            Some(Err(_)) => state.give(),
            None => state.ended = true,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        let state = lock(&self.state);
        state.attempt == self.attempt
            && state.read >= state.kept.len()
            && (state.ended || state.source.is_end_stream())
    }

    /// What is kept and not yet read, and what the source says of the rest: a replayed body has the
    /// length that it had the first time.
    fn size_hint(&self) -> SizeHint {
        let state = lock(&self.state);
        let kept = state.kept.iter().skip(state.read);
        let kept: u64 = kept.map(|kept| kept.len() as u64).sum();
        let rest = match state.ended {
            true => SizeHint::with_exact(0),
            false => state.source.size_hint(),
        };
        longer(&rest, kept)
    }
}

impl State {
    /// The next frame for the current attempt from those kept.
    fn next_kept(&mut self) -> Option<Kept> {
        match self.keeping {
            Keeping::Given => {
                let next = self.kept.pop_front();
                if self.kept.is_empty() {
                    self.kept = VecDeque::new();
                }
                next
            }
            Keeping::Whole => {
                let next = self.kept.get(self.read).cloned()?;
                self.read += 1;
                Some(next)
            }
        }
    }

    /// Keeps a frame that the current attempt has read, if all before it were kept and there is room.
    fn keep(&mut self, frame: &Frame<Bytes>) {
        if self.keeping == Keeping::Given {
            return;
        }
        let kept = match (frame.data_ref(), frame.trailers_ref()) {
            (Some(data), _) => Kept::Data(data.clone()),
            (None, Some(trailers)) => Kept::Trailers(trailers.clone()),
            (None, None) => return,
        };
        match self.room.checked_sub(kept.cost()) {
            Some(room) => {
                self.room = room;
                self.kept.push_back(kept);
                self.read += 1;
            }
            None => {
                Bound::ReplayBuffer.exceeded();
                self.give();
            }
        }
    }

    /// Cannot, or need not, be replayed any more: only what the current attempt has still to read
    /// stays.
    fn give(&mut self) {
        self.keeping = Keeping::Given;
        self.kept.drain(..self.read);
        self.read = 0;
        self.kept.shrink_to_fit();
    }
}

impl Kept {
    fn len(&self) -> usize {
        match self {
            Self::Data(data) => data.len(),
            Self::Trailers(_) => 0,
        }
    }

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
