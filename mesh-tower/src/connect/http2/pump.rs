//! Moves a request body into its stream as flow control allows.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use h2::{Reason, SendStream};
use http::HeaderMap;
use http_body::Body;

use crate::body::{BoxError, RequestBody};
use crate::connect::hop_by_hop;

/// More than any send buffer; h2 would cut off what does not fit its 32 bits.
const MAX_RESERVE: usize = 1 << 30;

/// Frames below this size are joined with those behind them that are there already. Each costs a
/// peer more to keep than it holds, and servers end a connection on which too many of them wait to
/// be read: h2 and its users at a few thousand below 256 bytes (`too_many_data_frames`).
const SMALL: usize = 1 << 10;

/// Frames are joined up to this size: what HTTP/2 allows in one unless the peer says more.
const JOINED: usize = 1 << 14;

/// Holds at most one data frame, or small ones joined to one, and what ended the joining. h2 takes no
/// more than the stream's window and send buffer have room for.
pub(super) struct Pump {
    stream: SendStream<Bytes>,
    body: RequestBody,
    chunk: Bytes,
    /// What comes after the chunk, if it was read already. Boxed as it is rare.
    ahead: Option<Box<Item>>,
}

/// What a body gives.
enum Item {
    Data(Bytes),
    Trailers(HeaderMap),
    End,
    Failed(BoxError),
}

/// How an upload ended.
#[derive(Debug)]
pub(super) enum PumpEnd {
    /// The whole body is on its way.
    Done,
    /// The stream is over; whoever reads the response learns why.
    Stopped,
    /// The body failed; the stream is still to be reset.
    Failed(BoxError),
}

impl Pump {
    pub(super) fn new(stream: SendStream<Bytes>, body: RequestBody) -> Self {
        Self {
            stream,
            body,
            chunk: Bytes::new(),
            ahead: None,
        }
    }

    /// Resets the stream.
    pub(super) fn reset(&mut self, reason: Reason) {
        self.stream.send_reset(reason);
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<PumpEnd> {
        loop {
            let step = if self.chunk.is_empty() {
                self.poll_body(cx)
            } else {
                self.poll_send(cx)
            };
            match step {
                Poll::Ready(None) => {}
                Poll::Ready(Some(end)) => return Poll::Ready(end),
                // Nothing to move: still notice when the peer resets the stream.
                Poll::Pending => {
                    return match self.stream.poll_reset(cx) {
                        Poll::Ready(_) => Poll::Ready(PumpEnd::Stopped),
                        Poll::Pending => Poll::Pending,
                    };
                }
            }
        }
    }

    /// Takes what comes next.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<PumpEnd>> {
        let item = match self.ahead.take() {
            Some(item) => *item,
            None => std::task::ready!(self.poll_item(cx)),
        };
        Poll::Ready(match item {
            Item::Data(data) if data.is_empty() && self.is_last() => Some(self.finish()),
            Item::Data(data) => {
                self.chunk = data;
                self.join(cx);
                None
            }
            Item::Trailers(mut trailers) => {
                hop_by_hop::strip_request(&mut trailers);
                Some(ended(self.stream.send_trailers(trailers)))
            }
            Item::End => Some(self.finish()),
            Item::Failed(error) => Some(PumpEnd::Failed(error)),
        })
    }

    /// Reads the next frame of the body.
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Item> {
        let frame = match std::task::ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            None => return Poll::Ready(Item::End),
            Some(Err(error)) => return Poll::Ready(Item::Failed(error)),
            Some(Ok(frame)) => frame,
        };
        Poll::Ready(match frame.into_data() {
            Ok(data) => Item::Data(data),
            Err(frame) => Item::Trailers(frame.into_trailers().unwrap_or_default()),
        })
    }

    /// Appends the small frames that are there already to a small chunk.
    fn join(&mut self, cx: &mut Context<'_>) {
        if self.chunk.len() >= SMALL {
            return;
        }
        let mut joined = BytesMut::new();
        while joined.len() < JOINED && self.ahead.is_none() && !self.body.is_end_stream() {
            match self.poll_item(cx) {
                Poll::Ready(Item::Data(data)) if data.len() < SMALL => {
                    if joined.is_empty() {
                        joined.extend_from_slice(&self.chunk);
                    }
                    joined.extend_from_slice(&data);
                }
                Poll::Ready(item) => self.ahead = Some(Box::new(item)),
                Poll::Pending => break,
            }
        }
        if !joined.is_empty() {
            self.chunk = joined.freeze();
        }
    }

    /// Whether nothing comes after the chunk.
    fn is_last(&self) -> bool {
        match self.ahead.as_deref() {
            Some(item) => matches!(item, Item::End),
            None => self.body.is_end_stream(),
        }
    }

    /// Hands h2 as much of the chunk as the stream has room for.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Option<PumpEnd>> {
        self.stream
            .reserve_capacity(self.chunk.len().min(MAX_RESERVE));
        let capacity = match self.stream.capacity() {
            0 => match std::task::ready!(self.stream.poll_capacity(cx)) {
                Some(Ok(capacity)) => capacity,
                Some(Err(_)) | None => return Poll::Ready(Some(PumpEnd::Stopped)),
            },
            capacity => capacity,
        };
        let piece = self.chunk.split_to(capacity.min(self.chunk.len()));
        let last = self.chunk.is_empty() && self.is_last();
        match self.stream.send_data(piece, last) {
            Ok(()) if last => Poll::Ready(Some(PumpEnd::Done)),
            Ok(()) => Poll::Ready(None),
            Err(_) => Poll::Ready(Some(PumpEnd::Stopped)),
        }
    }

    fn finish(&mut self) -> PumpEnd {
        ended(self.stream.send_data(Bytes::new(), true))
    }
}

fn ended(sent: Result<(), h2::Error>) -> PumpEnd {
    match sent {
        Ok(()) => PumpEnd::Done,
        Err(_) => PumpEnd::Stopped,
    }
}
