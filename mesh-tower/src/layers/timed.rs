//! A response body with clocks.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use mesh_core::{Error, error::BoxError};
use pin_project_lite::pin_project;

use super::inner::failed;
use crate::response::Clocks;

pin_project! {
    /// A response body that fails when it is not read to its end in time. What is left of it is
    /// dropped at that moment.
    #[derive(Debug)]
    pub struct TimedBody<B> {
        #[pin]
        inner: Option<B>,
        clocks: Clocks,
    }
}

impl<B> TimedBody<B> {
    /// The response with clocks, which `set` sets.
    pub(super) fn timed(response: Response<B>, set: impl FnOnce(&mut Clocks)) -> Response<Self> {
        let mut clocks = Clocks::default();
        set(&mut clocks);
        response.map(|inner| Self {
            inner: Some(inner),
            clocks,
        })
    }
}

impl<B> Body for TimedBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let late = match inner.poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => match this.clocks.look() {
                None => return Poll::Ready(Some(Ok(frame))),
                Some(late) => late,
            },
            Poll::Ready(end) => return Poll::Ready(end.map(|frame| frame.map_err(failed))),
            Poll::Pending => std::task::ready!(this.clocks.poll_late(cx)),
        };
        this.inner.set(None);
        Poll::Ready(Some(Err(late)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.inner.as_ref().map(Body::size_hint);
        hint.unwrap_or_else(|| SizeHint::with_exact(0))
    }
}
