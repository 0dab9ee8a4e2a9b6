//! Reading a body's first frames when the request starts.
//!
//! Clients such as tonic's never announce that their first frame is the last. Asking once more
//! saves an empty DATA frame and turns a unary request into plain bytes, which can be repeated.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::request::{BoxError, RequestBody};

pin_project! {
    /// A body whose error is boxed.
    pub(super) struct ErasedError<B> {
        #[pin]
        pub(super) body: B,
    }
}

/// What was read early, then the rest of the body.
struct Prefixed<B> {
    first: Option<Frame<Bytes>>,
    second: Option<Frame<Bytes>>,
    rest: B,
}

pub(super) fn collect<B>(mut body: B, cx: &mut Context<'_>) -> Result<RequestBody, BoxError>
where
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<BoxError>,
{
    // One that is full already, as after an outer layer, stays as it is.
    if let Some(ours) = (&mut body as &mut dyn Any).downcast_mut::<RequestBody>()
        && ours.as_full().is_some()
    {
        return Ok(std::mem::take(ours));
    }
    if body.is_end_stream() {
        return Ok(RequestBody::empty());
    }
    let first = match poll(&mut body, cx)? {
        Poll::Pending => return Ok(RequestBody::boxed(body)),
        Poll::Ready(None) => return Ok(RequestBody::empty()),
        Poll::Ready(Some(frame)) => match frame.into_data() {
            Ok(data) if body.is_end_stream() => return Ok(RequestBody::full(data)),
            Ok(data) => data,
            Err(trailers) => return Ok(prefixed(trailers, None, body)),
        },
    };
    match poll(&mut body, cx)? {
        Poll::Ready(None) => Ok(RequestBody::full(first)),
        Poll::Ready(second) => Ok(prefixed(Frame::data(first), second, body)),
        Poll::Pending => Ok(prefixed(Frame::data(first), None, body)),
    }
}

fn poll<B>(body: &mut B, cx: &mut Context<'_>) -> Result<Poll<Option<Frame<Bytes>>>, BoxError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    match Pin::new(body).poll_frame(cx) {
        Poll::Pending => Ok(Poll::Pending),
        Poll::Ready(None) => Ok(Poll::Ready(None)),
        Poll::Ready(Some(Ok(frame))) => Ok(Poll::Ready(Some(frame))),
        Poll::Ready(Some(Err(error))) => Err(error.into()),
    }
}

fn prefixed<B>(first: Frame<Bytes>, second: Option<Frame<Bytes>>, rest: B) -> RequestBody
where
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<BoxError>,
{
    RequestBody::from_stream(Box::pin(Prefixed {
        first: Some(first),
        second,
        rest,
    }))
}

impl<B> Body for Prefixed<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Some(frame) = this.first.take().or_else(|| this.second.take()) {
            return Poll::Ready(Some(Ok(frame)));
        }
        // Bodies need not tolerate a poll after their end.
        if this.rest.is_end_stream() {
            return Poll::Ready(None);
        }
        Pin::new(&mut this.rest).poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.second.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let kept: u64 = [&self.first, &self.second]
            .into_iter()
            .flatten()
            .filter_map(Frame::data_ref)
            .map(|data| data.len() as u64)
            .sum();
        super::longer(&self.rest.size_hint(), kept)
    }
}

impl<B> Body for ErasedError<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.project().body.poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
