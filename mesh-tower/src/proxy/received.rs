//! The body of a request, as it arrives.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Version;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::{activity::Activity, clock};

/// A body that knows whether it has arrived as a whole.
///
/// What stands behind a body over HTTP/1.1 is left out, as by Envoy unless it is told otherwise
/// (`enable_trailers`): few expect headers there, and what a proxy in front did with them is unknown.
pub(super) struct Received {
    inner: Incoming,
    trailers: bool,
    arrived: Arrived,
    // Of one that has not arrived yet.
    activity: Option<Arc<Activity>>,
}

/// Whether a request has arrived as a whole. `None` if it had when its head had.
#[derive(Clone)]
pub(super) struct Arrived(Option<Arc<AtomicBool>>);

impl Received {
    /// The body of a request of this version; what comes of it is a sign of life.
    pub(super) fn of(
        inner: Incoming,
        version: Version,
        activity: Option<&Arc<Activity>>,
    ) -> (Self, Arrived) {
        let whole = inner.is_end_stream();
        let arrived = Arrived((!whole).then(Arc::default));
        let received = Self {
            inner,
            trailers: version >= Version::HTTP_2,
            arrived: arrived.clone(),
            activity: activity.filter(|_| !whole).cloned(),
        };
        (received, arrived)
    }
}

impl Arrived {
    /// Whether it has by now.
    pub(super) fn wholly(&self) -> bool {
        // Relaxed: an answer is made by the same task, or by what that task has told of the end.
        self.0.as_ref().is_none_or(|it| it.load(Ordering::Relaxed))
    }

    fn set(&self) {
        if let Some(arrived) = &self.0 {
            arrived.store(true, Ordering::Relaxed);
        }
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
            Some(Ok(frame)) if frame.is_trailers() => Some(Ok(frame)).filter(|_| self.trailers),
            frame => frame,
        };
        let ended = match &frame {
            None => true,
            Some(Ok(frame)) => frame.is_trailers() || self.inner.is_end_stream(),
            Some(Err(_)) => false,
        };
        if let Some(activity) = &self.activity {
            activity.touch(clock::now());
        }
        if ended {
            self.arrived.set();
            if let Some(activity) = self.activity.take() {
                activity.arrived();
            }
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
