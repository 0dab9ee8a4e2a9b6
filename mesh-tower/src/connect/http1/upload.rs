//! Sending a request.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::TRAILER;
use http::{HeaderMap, HeaderName, Request};
use http_body::{Body as _, Frame};

use crate::body::RequestBody;
use crate::connect::{SendFailure, SendFailureKind, hop_by_hop};

use super::out::Out;
use super::request::{self, Length};
use super::wire::Wire;

/// A request on its way. Keeps it whole as long as it can, to give it back if it cannot be sent.
#[derive(Debug)]
pub(super) struct Upload {
    request: Request<RequestBody>,
    length: Length,
    progress: Progress,
    /// Whether the request lacks a part of its body.
    taken: bool,
}

#[derive(Debug)]
enum Progress {
    Body,
    /// What is left waits to be written.
    Last,
    Complete,
    /// The peer reads no more. It may have answered all the same.
    Broken(io::Error),
}

impl Upload {
    /// # Errors
    /// The request, if HTTP/1.1 cannot express it.
    pub(super) fn new(
        mut request: Request<RequestBody>,
        out: &mut Out,
    ) -> Result<Self, SendFailure> {
        let length = match request::head(&mut request, out.begin()) {
            Ok(length) => length,
            Err(text) => {
                let kind = SendFailureKind::Protocol(text.into());
                return Err(SendFailure::with_request(kind, request));
            }
        };
        let progress = match request.body().as_full() {
            Some(data) => {
                out.push(data.clone(), b"");
                Progress::Last
            }
            None => Progress::Body,
        };
        Ok(Self {
            request,
            length,
            progress,
            taken: false,
        })
    }

    pub(super) fn request(&self) -> &Request<RequestBody> {
        &self.request
    }

    /// Whether the peer waits for nothing more of it; `out` is where it was put.
    pub(super) fn is_sent(&self, out: &Out) -> bool {
        match self.progress {
            // The body need not say that it has ended.
            Progress::Body => self.length == Length::Bytes(0) && out.is_empty(),
            Progress::Complete => true,
            Progress::Last | Progress::Broken(_) => false,
        }
    }

    /// Whether there is more to send, and somebody who reads it.
    pub(super) const fn is_under_way(&self) -> bool {
        matches!(self.progress, Progress::Body | Progress::Last)
    }

    /// The failure of a request of which nothing has been written.
    pub(super) fn unsent(self) -> SendFailure {
        SendFailure {
            kind: SendFailureKind::Unsent,
            request: (!self.taken).then(|| Box::new(self.request)),
        }
    }

    /// Why the peer reads no more, if that is so.
    pub(super) fn take_broken(&mut self) -> Option<io::Error> {
        match &mut self.progress {
            Progress::Broken(error) => Some(std::mem::replace(error, io::ErrorKind::Other.into())),
            _ => None,
        }
    }

    /// Sends what can be sent. Ready when there is no more to send, or nobody who reads it.
    ///
    /// # Errors
    /// `Unsent` if nothing could be written, and `RequestBody`.
    pub(super) fn poll(
        &mut self,
        wire: &mut Wire,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendFailureKind>> {
        while self.is_under_way() {
            let filled = self.poll_fill(&mut wire.out, cx)?;
            match ready!(wire.poll_write(cx)) {
                Ok(()) if matches!(self.progress, Progress::Last) => {
                    self.progress = Progress::Complete;
                }
                Ok(()) => ready!(filled),
                Err(_) if !wire.out.has_begun() => {
                    return Poll::Ready(Err(SendFailureKind::Unsent));
                }
                Err(error) => self.progress = Progress::Broken(error),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Takes frames off the body while there is room for them. Pending if it has none yet.
    fn poll_fill(
        &mut self,
        out: &mut Out,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendFailureKind>> {
        while matches!(self.progress, Progress::Body) && out.has_room() {
            self.taken = true;
            let body = self.request.body_mut();
            let filled = match ready!(Pin::new(body).poll_frame(cx)) {
                None => self.end(None, out),
                Some(Ok(frame)) => self.take(frame, out),
                Some(Err(error)) => return Poll::Ready(Err(SendFailureKind::RequestBody(error))),
            };
            filled.map_err(|text| SendFailureKind::RequestBody(text.into()))?;
        }
        Poll::Ready(Ok(()))
    }

    fn take(&mut self, frame: Frame<Bytes>, out: &mut Out) -> Result<(), &'static str> {
        match frame.into_data().map_err(Frame::into_trailers) {
            Ok(data) => self.push(data, out),
            Err(Ok(trailers)) => self.end(Some(&trailers), out),
            // Neither: nothing that HTTP/1.1 knows.
            Err(Err(_)) => Ok(()),
        }
    }

    fn push(&mut self, data: Bytes, out: &mut Out) -> Result<(), &'static str> {
        let ended = self.request.body().is_end_stream();
        match &mut self.length {
            // An empty chunk would end the body.
            _ if data.is_empty() => {}
            Length::Bytes(left) => {
                *left = left
                    .checked_sub(data.len() as u64)
                    .ok_or("it is longer than the request's content-length")?;
                out.push(data, b"");
            }
            Length::Chunked => {
                out.begin_chunk(data.len());
                out.push(data, b"\r\n");
            }
        }
        if ended && out.has_room() {
            self.end(None, out)?;
        }
        Ok(())
    }

    fn end(&mut self, trailers: Option<&HeaderMap>, out: &mut Out) -> Result<(), &'static str> {
        match self.length {
            Length::Bytes(0) => {}
            Length::Bytes(_) => return Err("it is shorter than the request's content-length"),
            Length::Chunked => {
                let announcing = self.request.headers();
                let trailers = trailers.into_iter().flatten();
                out.end_chunks(trailers.filter(|(name, _)| announces(announcing, name)));
            }
        }
        self.progress = Progress::Last;
        Ok(())
    }
}

/// What tells how a message is read or handled, beside what belongs to one connection or is protected.
const EARLY: [&str; 6] = [
    "cache-control",
    "content-encoding",
    "content-range",
    "max-forwards",
    "set-cookie",
    "trailer",
];

/// Whether the headers announce a trailer. Others are not sent: a recipient may not know what to do
/// with them, and some may not come this late (RFC 9110 section 6.5.1).
fn announces(headers: &HeaderMap, trailer: &HeaderName) -> bool {
    !hop_by_hop::is_protected(trailer)
        && !hop_by_hop::is_fixed(trailer)
        && !EARLY.contains(&trailer.as_str())
        && hop_by_hop::tokens(headers, &TRAILER)
            .any(|token| token.eq_ignore_ascii_case(trailer.as_str()))
}
