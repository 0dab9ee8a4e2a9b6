//! The body every connection receives.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::connect::ConnError;
use crate::connect::http1::Http1Body;
use crate::connect::http2::Http2Body;

/// A response body: a stream of an HTTP/2 or HTTP/1 connection, or bytes made locally.
///
/// Dropping it before its end cancels the exchange (HTTP/2: RST_STREAM with CANCEL, HTTP/1: the
/// connection closes).
#[derive(Debug)]
pub struct ResponseBody {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Http2(Http2Body),
    // Boxed: it is the largest, and every answer is moved with the room for it.
    Http1(Box<Http1Body>),
    Local {
        data: Bytes,
        trailers: Option<Box<HeaderMap>>,
    },
}

impl ResponseBody {
    /// A body without data and without trailers.
    #[must_use]
    pub const fn empty() -> Self {
        Self::full(Bytes::new())
    }

    /// A body of exactly `data`, without trailers.
    #[must_use]
    pub const fn full(data: Bytes) -> Self {
        Self {
            kind: Kind::Local {
                data,
                trailers: None,
            },
        }
    }

    /// A body of `data` (may be empty) followed by `trailers`.
    #[must_use]
    pub fn with_trailers(data: Bytes, trailers: HeaderMap) -> Self {
        Self {
            kind: Kind::Local {
                data,
                trailers: Some(Box::new(trailers)),
            },
        }
    }

    /// Whether it was known to be empty when the head came. Other than
    /// [`is_end_stream`](Body::is_end_stream) it asks no connection.
    pub(crate) fn was_empty(&self) -> bool {
        match &self.kind {
            Kind::Http2(_) => false,
            Kind::Http1(body) => body.is_end_stream(),
            Kind::Local { data, trailers } => data.is_empty() && trailers.is_none(),
        }
    }

    pub(crate) fn http2(body: Http2Body) -> Self {
        Self {
            kind: Kind::Http2(body),
        }
    }

    pub(crate) fn http1(body: Http1Body) -> Self {
        Self {
            kind: Kind::Http1(Box::new(body)),
        }
    }
}

impl Default for ResponseBody {
    fn default() -> Self {
        Self::empty()
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = ConnError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnError>>> {
        match &mut self.get_mut().kind {
            Kind::Http2(body) => body.poll_frame(cx),
            Kind::Http1(body) => body.poll_frame(cx),
            Kind::Local { data, trailers } => {
                if !data.is_empty() {
                    return Poll::Ready(Some(Ok(Frame::data(std::mem::take(data)))));
                }
                Poll::Ready(trailers.take().map(|map| Ok(Frame::trailers(*map))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Http2(body) => body.is_end_stream(),
            Kind::Http1(body) => body.is_end_stream(),
            Kind::Local { data, trailers } => data.is_empty() && trailers.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Http2(body) => body.size_hint(),
            Kind::Http1(body) => body.size_hint(),
            Kind::Local { data, .. } => SizeHint::with_exact(data.len() as u64),
        }
    }
}
