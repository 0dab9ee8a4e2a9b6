//! The body of an answer on its way out: its end is told to the log.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use mesh_core::Error;

use super::late::{Exchange, idle};
use crate::{clock, response::GuardedBody};

/// What is done when a body has ended or was let go of, once: with the error if it ended early.
pub(super) type Ending = Box<dyn FnOnce(Result<(), &Error>) + Send>;

/// A body that knows what is to be done at its end.
pub(crate) struct ProxyBody {
    inner: GuardedBody,
    ending: Option<Ending>,
    // An error to be given at the next poll.
    failed: Option<Error>,
    // Of a request that is watched.
    exchange: Option<Exchange>,
    // Nothing has come of it, and nothing was waited for, since its head came.
    fresh: bool,
}

impl ProxyBody {
    pub(super) const fn new(
        inner: GuardedBody,
        ending: Option<Ending>,
        exchange: Option<Exchange>,
    ) -> Self {
        Self {
            inner,
            ending,
            failed: None,
            exchange,
            fresh: true,
        }
    }

    fn end(&mut self, ended: Result<(), &Error>) {
        if let Some(ending) = self.ending.take() {
            ending(ended);
        }
    }
}

impl Body for ProxyBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        let fresh = std::mem::replace(&mut self.fresh, false);
        let frame = match (polled, &self.exchange) {
            (Poll::Ready(frame), Some(exchange)) => {
                if !fresh {
                    exchange.touch(clock::now());
                }
                frame
            }
            (Poll::Ready(frame), None) => frame,
            (Poll::Pending, Some(exchange)) if exchange.late().is_some() => {
                Some(Err(self.inner.named(idle())))
            }
            (Poll::Pending, _) => return Poll::Pending,
        };
        let Some(Err(error)) = frame else {
            return Poll::Ready(frame);
        };
        self.end(Err(&error));
        self.failed = Some(error);
        // The connection ends with the error, at once. What came before is written first, as Envoy does:
        // a connection writes when its body has nothing to give.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        // Its end may have been the error.
        self.failed.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for ProxyBody {
    fn drop(&mut self) {
        self.end(Ok(()));
    }
}

impl fmt::Debug for ProxyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyBody")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use mesh_core::ErrorKind;

    use super::*;

    #[test]
    fn a_body_has_not_ended_before_its_error_is_told() {
        let mut body = ProxyBody::new(GuardedBody::local(Bytes::new()), None, None);
        assert!(body.is_end_stream());
        body.failed = Some(Error::new(ErrorKind::Connect, "lost"));
        assert!(!body.is_end_stream());
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        let told = Pin::new(&mut body).poll_frame(cx);
        assert!(matches!(told, Poll::Ready(Some(Err(_)))));
        assert!(body.is_end_stream());
    }
}
