//! The body every connection sends.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::eager;

/// Any error, as bodies report it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A request body: all its bytes at once, or a stream of frames behind a box.
///
/// At most 32 bytes, because connections queue bodies by value.
/// A full body costs no extra frame when it is sent and is cheap to repeat.
pub struct RequestBody {
    kind: Kind,
}

/// Two variants, because `Bytes` leaves room for one more without growing. A further kind of
/// stream joins inside `Stream`.
enum Kind {
    /// What is left to send; empty when nothing is.
    Full(Bytes),
    Stream(Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>),
}

impl RequestBody {
    /// A body without data and without trailers.
    #[must_use]
    pub const fn empty() -> Self {
        Self::full(Bytes::new())
    }

    /// A body of exactly `data`, without trailers.
    #[must_use]
    pub const fn full(data: Bytes) -> Self {
        Self {
            kind: Kind::Full(data),
        }
    }

    /// Boxes any body but a `RequestBody`, which stays what it is. Its end of stream, size hint
    /// and trailers show through.
    pub fn boxed<B>(mut body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if let Some(ours) = (&mut body as &mut dyn Any).downcast_mut::<Self>() {
            return std::mem::take(ours);
        }
        Self {
            kind: Kind::Stream(Box::pin(eager::ErasedError { body })),
        }
    }

    /// Polls `body` at most twice and keeps what it gave.
    ///
    /// A body that ends at once becomes [`empty`](Self::empty), one whose first data frame is also
    /// its last becomes [`full`](Self::full); any other is boxed and first yields what was already
    /// read. Never waits: a pending body is boxed as it is.
    ///
    /// # Errors
    /// The body's own error, when it fails in these first polls.
    pub fn poll_eager<B>(body: B, cx: &mut Context<'_>) -> Result<Self, BoxError>
    where
        B: Body<Data = Bytes> + Unpin + Send + 'static,
        B::Error: Into<BoxError>,
    {
        eager::collect(body, cx)
    }

    /// [`poll_eager`](Self::poll_eager) for async callers. Completes at its first poll.
    ///
    /// # Errors
    /// The body's own error, when it fails in these first polls.
    pub async fn eager<B>(body: B) -> Result<Self, BoxError>
    where
        B: Body<Data = Bytes> + Unpin + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let mut body = Some(body);
        std::future::poll_fn(move |cx| match body.take() {
            Some(body) => Poll::Ready(Self::poll_eager(body, cx)),
            None => Poll::Ready(Ok(Self::empty())),
        })
        .await
    }

    /// The same body once more, when it is full; a stream has only one reader.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        self.as_full().cloned().map(Self::full)
    }

    /// The bytes, when this body is full (or empty); `None` for a stream.
    #[must_use]
    pub fn as_full(&self) -> Option<&Bytes> {
        match &self.kind {
            Kind::Full(data) => Some(data),
            Kind::Stream(_) => None,
        }
    }

    pub(super) fn from_stream(
        stream: Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>,
    ) -> Self {
        Self {
            kind: Kind::Stream(stream),
        }
    }
}

impl Default for RequestBody {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for RequestBody {
    fn from(data: Bytes) -> Self {
        Self::full(data)
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Full(data) => write!(f, "RequestBody::Full({} bytes)", data.len()),
            Kind::Stream(_) => f.write_str("RequestBody::Stream"),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.get_mut().kind {
            Kind::Full(data) if data.is_empty() => Poll::Ready(None),
            Kind::Full(data) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(data))))),
            Kind::Stream(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Full(data) => data.is_empty(),
            Kind::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Full(data) => SizeHint::with_exact(data.len() as u64),
            Kind::Stream(body) => body.size_hint(),
        }
    }
}
