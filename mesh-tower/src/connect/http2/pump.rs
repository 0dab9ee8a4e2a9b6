//! Moves a request body into its stream as flow control allows.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::Body;

use crate::body::{BoxError, RequestBody};
use crate::connect::hop_by_hop;

/// More than any send buffer; h2 would cut off what does not fit its 32 bits.
const MAX_RESERVE: usize = 1 << 30;

/// Holds at most one data frame that is not yet handed to h2, and h2 takes no more than the
/// stream's window and send buffer have room for.
pub(super) struct Pump {
    stream: SendStream<Bytes>,
    body: RequestBody,
    chunk: Bytes,
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

    /// Reads the next frame of the body.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<PumpEnd>> {
        let frame = match std::task::ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            None => return Poll::Ready(Some(self.finish())),
            Some(Err(error)) => return Poll::Ready(Some(PumpEnd::Failed(error))),
            Some(Ok(frame)) => frame,
        };
        match frame.into_data() {
            Ok(data) => {
                if data.is_empty() && self.body.is_end_stream() {
                    return Poll::Ready(Some(self.finish()));
                }
                self.chunk = data;
                Poll::Ready(None)
            }
            Err(frame) => {
                let mut trailers = frame.into_trailers().unwrap_or_default();
                hop_by_hop::strip_request(&mut trailers);
                Poll::Ready(Some(ended(self.stream.send_trailers(trailers))))
            }
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
        let last = self.chunk.is_empty() && self.body.is_end_stream();
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
