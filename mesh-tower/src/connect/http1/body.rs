//! The response body of one exchange.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::task::coop::poll_proceed;

use crate::connect::{ConnError, SendFailureKind};

use super::decoder::{Decoder, Part};
use super::lease::Lease;
use super::relay::Relayed;
use super::upload::Upload;
use super::wire;

/// Reads the body off its connection and gives that back at the end. Dropped early, it closes the
/// connection.
#[derive(Debug)]
pub(crate) struct Http1Body {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Own(Reader),
    /// A task reads it, which sends the rest of the request too.
    Relayed(Relayed),
}

/// What is left of a body. Without a lease once it has ended.
#[derive(Debug)]
pub(super) struct Reader {
    decoder: Decoder,
    lease: Option<Lease>,
}

impl Http1Body {
    pub(super) fn new(decoder: Decoder, lease: Lease, upload: Upload) -> Self {
        let executor = lease.connection.executor();
        let reader = Reader {
            decoder,
            lease: Some(lease),
        };
        let source = if upload.is_under_way() {
            Source::Relayed(Relayed::spawn(reader, upload, &executor))
        } else {
            Source::Own(reader)
        };
        Self { source }
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnError>>> {
        match &mut self.source {
            Source::Own(reader) => reader.poll_frame(cx),
            Source::Relayed(relayed) => relayed.poll_frame(cx),
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Own(reader) => reader.lease.is_none(),
            Source::Relayed(relayed) => relayed.is_end_stream(),
        }
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        let left = match &self.source {
            Source::Own(reader) => reader.left(),
            Source::Relayed(relayed) => relayed.left(),
        };
        left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Reader {
    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnError>>> {
        // One read may hold thousands of chunks.
        let turn = ready!(poll_proceed(cx));
        let frame = ready!(self.poll_next(cx)).transpose();
        turn.made_progress();
        Poll::Ready(frame.map(|frame| {
            frame.map_err(|kind| {
                self.lease = None;
                ConnError::new(kind)
            })
        }))
    }

    /// The connection, while the body has not ended.
    pub(super) fn lease(&mut self) -> Option<&mut Lease> {
        self.lease.as_mut()
    }

    /// The bytes still to come, if that is known.
    pub(super) fn left(&self) -> Option<u64> {
        match &self.lease {
            None => Some(0),
            Some(_) => self.decoder.left(),
        }
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Frame<Bytes>>, SendFailureKind>> {
        while let Some(lease) = &mut self.lease {
            let wire = &mut lease.connection.wire;
            let part = self.decoder.next(&mut wire.read);
            match part.map_err(|text| SendFailureKind::Protocol(text.into()))? {
                Part::Data(data) => {
                    if self.decoder.take_end(&mut wire.read) {
                        self.end();
                    }
                    return Poll::Ready(Ok(Some(Frame::data(data))));
                }
                Part::End(trailers) => {
                    self.end();
                    return Poll::Ready(Ok(trailers.map(Frame::trailers)));
                }
                Part::More => match ready!(wire.poll_read(cx)) {
                    Ok(1..) => {}
                    Ok(0) if self.decoder == Decoder::UntilClose => self.end(),
                    end => return Poll::Ready(Err(wire::lost(end))),
                },
            }
        }
        Poll::Ready(Ok(None))
    }

    fn end(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.end();
        }
    }
}
