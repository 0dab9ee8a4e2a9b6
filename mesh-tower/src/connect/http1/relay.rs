//! A response that begins before its request has been sent.
//!
//! A caller may write the rest of the request without reading the response, or the other way round: a
//! task of its own moves both.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;
use tokio::sync::mpsc;

use crate::connect::{ConnError, Executor, SendFailureKind};

use super::body::Reader;
use super::upload::Upload;

/// A frame; at the end, none.
type Next = Option<Result<Frame<Bytes>, ConnError>>;

/// The response body of such an exchange. Dropped early, it ends the exchange.
#[derive(Debug)]
pub(crate) struct Relayed {
    frames: mpsc::Receiver<Next>,
    left: Option<u64>,
    ended: bool,
}

/// Both halves of the exchange.
struct Relay {
    reader: Reader,
    upload: Upload,
    failed: Option<SendFailureKind>,
}

impl Relayed {
    pub(super) fn spawn(reader: Reader, upload: Upload, executor: &Executor) -> Self {
        let left = reader.left();
        let (sender, frames) = mpsc::channel(1);
        let relay = Relay {
            reader,
            upload,
            failed: None,
        };
        executor.spawn(relay.run(sender));
        Self {
            frames,
            left,
            ended: false,
        }
    }

    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = ready!(self.frames.poll_recv(cx)).unwrap_or_else(|| {
            let text = "the task that reads it was dropped";
            let kind = SendFailureKind::ConnectionLost(text.into());
            Some(Err(ConnError::new(kind)))
        });
        match &next {
            Some(Ok(frame)) => {
                let count = frame.data_ref().map_or(0, Bytes::len) as u64;
                self.left = self.left.map(|left| left.saturating_sub(count));
            }
            Some(Err(_)) | None => self.ended = true,
        }
        Poll::Ready(next)
    }

    pub(super) fn is_end_stream(&self) -> bool {
        self.ended || self.left == Some(0)
    }

    pub(super) const fn left(&self) -> Option<u64> {
        self.left
    }
}

impl Relay {
    async fn run(mut self, frames: mpsc::Sender<Next>) {
        let mut unwanted = pin!(frames.closed());
        loop {
            let next = poll_fn(|cx| match unwanted.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => self.poll_next(cx).map(Some),
            });
            let Some(next) = next.await else { return };
            let ended = !matches!(next, Some(Ok(_)));
            let mut handing = pin!(frames.send(next));
            let handed = poll_fn(|cx| {
                self.poll_upload(cx);
                handing.as_mut().poll(cx)
            });
            if handed.await.is_err() || ended {
                return;
            }
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        self.poll_upload(cx);
        match self.failed.take() {
            Some(kind) => Poll::Ready(Some(Err(ConnError::new(kind)))),
            None => self.reader.poll_frame(cx),
        }
    }

    fn poll_upload(&mut self, cx: &mut Context<'_>) {
        let Some(lease) = self.reader.lease() else {
            return;
        };
        let wire = &mut lease.connection.wire;
        if self.failed.is_none()
            && let Poll::Ready(Err(kind)) = self.upload.poll(wire, cx)
        {
            self.failed = Some(kind);
        }
        lease.sent = self.upload.is_sent(&wire.out);
    }
}
