//! Watching a streaming request body, which hyper owns once it is sent.
//!
//! hyper reports a failed body only as text, and goes on sending a body after the response has
//! been read and even after everyone has left: such a connection must not be reused but closed.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http::Request;
use http_body::{Body, Frame, SizeHint};

use crate::body::{BoxError, RequestBody};

/// The exchange's hold on its streaming request body. Dropping it before the body is through
/// fails the body, and with it the connection.
#[derive(Debug)]
pub(super) struct Upload {
    link: Arc<Link>,
}

#[derive(Debug, Default)]
struct Link {
    finished: AtomicBool,
    abandoned: AtomicBool,
    task: AtomicWaker,
    error: Mutex<Option<BoxError>>,
}

/// The body as hyper has it.
struct Tracked {
    body: RequestBody,
    link: Arc<Link>,
}

/// Puts a watch on the body unless it is full, which hyper takes in one go.
pub(super) fn track(request: Request<RequestBody>) -> (Request<RequestBody>, Option<Upload>) {
    if request.body().as_full().is_some() {
        return (request, None);
    }
    let link = Arc::new(Link::default());
    let upload = Upload { link: link.clone() };
    let request = request.map(|body| RequestBody::boxed(Tracked { body, link }));
    (request, Some(upload))
}

impl Upload {
    /// True once hyper has let go of the body: it is through, or the connection is closing.
    pub(super) fn is_finished(&self) -> bool {
        // Acquire pairs with the store below; nothing else is read under it.
        self.link.finished.load(Ordering::Acquire)
    }

    pub(super) fn take_error(&self) -> Option<BoxError> {
        self.link
            .error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Release pairs with the load after the waker is registered: the body sees either this or
        // the wake-up.
        self.link.abandoned.store(true, Ordering::Release);
        self.link.task.wake();
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.link.finished.store(true, Ordering::Release);
    }
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        this.link.task.register(cx.waker());
        if this.link.abandoned.load(Ordering::Acquire) {
            return Poll::Ready(Some(Err("the exchange is over".into())));
        }
        match std::task::ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            Some(Err(error)) => {
                let place = this.link.error.lock();
                *place.unwrap_or_else(PoisonError::into_inner) = Some(error);
                Poll::Ready(Some(Err("the request body failed".into())))
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
