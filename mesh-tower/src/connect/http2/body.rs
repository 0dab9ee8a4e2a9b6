//! The response body of one stream.

use std::fmt;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::RecvStream;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, HeaderValue};
use http_body::{Frame, SizeHint};

use crate::connect::{ConnError, SendFailureKind};

use super::connection::Slot;
use super::failure;
use super::shared::Shared;
use super::upload::Upload;

/// Reads data (giving the peer its window back as it is taken) and then trailers.
///
/// Dropped early, it resets the stream with CANCEL.
pub(crate) struct Http2Body {
    stream: Option<Stream>,
    remaining: Remaining,
}

/// Bytes still to come, if the response said how many. One word.
#[derive(Clone, Copy, Debug)]
struct Remaining(u64);

struct Stream {
    // In the order of their end: the stream must be over when the slot is freed.
    recv: RecvStream,
    hold: Hold,
    data_done: bool,
}

/// What keeps the stream's slot.
enum Hold {
    Slot(Slot),
    Upload(Upload),
}

impl Http2Body {
    pub(super) fn new(headers: &HeaderMap, recv: RecvStream, slot: Slot) -> Self {
        Self::held(headers, recv, Hold::Slot(slot))
    }

    pub(super) fn with_upload(headers: &HeaderMap, recv: RecvStream, upload: Upload) -> Self {
        Self::held(headers, recv, Hold::Upload(upload))
    }

    fn held(headers: &HeaderMap, recv: RecvStream, hold: Hold) -> Self {
        let length = headers.get(CONTENT_LENGTH);
        Self {
            stream: Some(Stream {
                recv,
                hold,
                data_done: false,
            }),
            remaining: Remaining::of(length),
        }
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnError>>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(None);
        };
        let frame = match std::task::ready!(stream.poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                let kind = stream.classify(&error);
                self.stream = None;
                return Poll::Ready(Some(Err(ConnError::new(kind))));
            }
            None => {
                self.complete();
                return Poll::Ready(None);
            }
        };
        match frame.data_ref() {
            Some(data) => self.remaining.take(data.len() as u64),
            None => self.complete(),
        }
        Poll::Ready(Some(Ok(frame)))
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        match &self.stream {
            None => true,
            Some(stream) => stream.recv.is_end_stream(),
        }
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        match (&self.stream, self.remaining.known()) {
            (None, _) => SizeHint::with_exact(0),
            (Some(_), Some(left)) => SizeHint::with_exact(left),
            (Some(_), None) => SizeHint::default(),
        }
    }

    /// The peer has sent all: an upload still under way is of no more use.
    fn complete(&mut self) {
        if let Some(stream) = self.stream.take()
            && let Hold::Upload(upload) = &stream.hold
        {
            upload.response_complete();
        }
    }
}

impl Remaining {
    const UNKNOWN: u64 = u64::MAX;

    fn of(length: Option<&HeaderValue>) -> Self {
        let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
        Self(length.unwrap_or(Self::UNKNOWN))
    }

    const fn known(self) -> Option<u64> {
        match self.0 {
            Self::UNKNOWN => None,
            left => Some(left),
        }
    }

    const fn take(&mut self, len: u64) {
        if self.0 != Self::UNKNOWN {
            self.0 = self.0.saturating_sub(len);
        }
    }
}

impl Stream {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if !self.data_done {
            match std::task::ready!(self.recv.poll_data(cx)) {
                Some(Ok(data)) => {
                    // It can only fail for more than was received.
                    let _ = self.recv.flow_control().release_capacity(data.len());
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.data_done = true,
            }
        }
        let trailers = std::task::ready!(self.recv.poll_trailers(cx));
        Poll::Ready(trailers.map(|map| map.map(Frame::trailers)).transpose())
    }

    fn classify(&self, error: &h2::Error) -> SendFailureKind {
        if let Hold::Upload(upload) = &self.hold
            && let Some(error) = upload.take_error()
        {
            return SendFailureKind::RequestBody(error);
        }
        failure::classify_body(error, self.shared())
    }

    fn shared(&self) -> &Shared {
        match &self.hold {
            Hold::Slot(slot) => slot.shared(),
            Hold::Upload(upload) => upload.slot().shared(),
        }
    }
}

impl Drop for Http2Body {
    fn drop(&mut self) {
        // Read in full but for the end itself, as callers do that know the length.
        if self.is_end_stream() {
            self.complete();
        }
    }
}

impl fmt::Debug for Http2Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Body")
            .field("ended", &self.stream.is_none())
            .field("remaining", &self.remaining)
            .finish()
    }
}
