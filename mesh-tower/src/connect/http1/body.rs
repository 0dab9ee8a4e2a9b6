//! The response body of one exchange.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::connect::{ConnError, hop_by_hop};

use super::connection::{Http1Connection, Http1Home};
use super::failure;
use super::upload::Upload;

/// Reads hyper's body and gives the connection back at its end. Dropped early, it closes the
/// connection.
pub(crate) struct Http1Body {
    incoming: Incoming,
    lease: Option<Lease>,
    upload: Option<Upload>,
}

struct Lease {
    connection: Http1Connection,
    /// `None` if the connection may not be used again; it still lives until the body's end.
    home: Option<Arc<dyn Http1Home>>,
}

impl Http1Body {
    pub(super) fn new(
        incoming: Incoming,
        connection: Http1Connection,
        upload: Option<Upload>,
        home: Option<Arc<dyn Http1Home>>,
    ) -> Self {
        let mut body = Self {
            incoming,
            lease: Some(Lease { connection, home }),
            upload,
        };
        if body.incoming.is_end_stream() {
            body.complete();
        }
        body
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnError>>> {
        let frame = match std::task::ready!(Pin::new(&mut self.incoming).poll_frame(cx)) {
            Some(Ok(mut frame)) => {
                if let Some(trailers) = frame.trailers_mut() {
                    hop_by_hop::strip_response(trailers);
                }
                frame
            }
            Some(Err(error)) => {
                self.lease = None;
                let kind = failure::classify(&error, self.upload.as_ref());
                return Poll::Ready(Some(Err(ConnError::new(kind))));
            }
            None => {
                self.complete();
                return Poll::Ready(None);
            }
        };
        if self.incoming.is_end_stream() {
            self.complete();
        }
        Poll::Ready(Some(Ok(frame)))
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }

    fn complete(&mut self) {
        let uploaded = self.upload.as_ref().is_none_or(Upload::is_finished);
        // Ends an upload that the peer did not wait for.
        self.upload = None;
        if let Some(lease) = self.lease.take()
            && uploaded
            && let Some(home) = lease.home
            && !lease.connection.is_closed()
        {
            home.give_back(lease.connection);
        }
    }
}

impl fmt::Debug for Http1Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http1Body")
            .field("ended", &self.lease.is_none())
            .finish_non_exhaustive()
    }
}
