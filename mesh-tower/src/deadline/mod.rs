//! The stream deadline: the bound on everything a request does.
//!
//! # What it does
//! Ends the request when its deadline, counted from arrival, passes; also while its response body is
//! read.
//!
//! # Reads
//! [`Decision::deadline`](crate::request::Decision::deadline): `max_stream_duration`, the caller's
//! `grpc-timeout` (gRFC A31).
//!
//! # Order
//! Directly below routing, above all that may wait.
//!
//! # Emits
//! `StreamDeadline`.
//!
//! # Cancellation
//! What is below is dropped, which resets its stream.

use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    task::Poll,
    time::Instant,
};

use http::Response;
use mesh_core::{Error, ErrorKind};

use crate::{request::Routed, response::GuardedBody, serve::Serve};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Deadline<S> {
    inner: S,
}

impl<S> Deadline<S> {
    pub(crate) const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S: Serve> Serve for Deadline<S> {
    async fn serve(&self, routed: &mut Routed) -> Result<Response<GuardedBody>, Error> {
        let deadline = routed.decision.deadline;
        // Pinned here and not moved into a timeout: it is large.
        let mut answer = pin!(self.inner.serve(routed));
        let Some(deadline) = deadline else {
            return answer.await;
        };
        let mut expiry = pin!(tokio::time::sleep_until(deadline.into()));
        poll_fn(|cx| {
            // Left where it is: answers are large.
            let mut polled = answer.as_mut().poll(cx);
            match &mut polled {
                Poll::Ready(Ok(response)) => {
                    let clocks = response.body_mut().clocks();
                    clocks.until(deadline, ErrorKind::StreamDeadline);
                }
                Poll::Pending if expiry.as_mut().poll(cx).is_ready() => {
                    return Poll::Ready(Err(expired()));
                }
                Poll::Ready(Err(_)) | Poll::Pending => {}
            }
            polled
        })
        .await
    }
}

/// A deadline that has passed already, at `now`, lets nothing begin: the request must not leave.
pub(crate) fn not_passed(deadline: Option<Instant>, now: Instant) -> Result<(), Error> {
    if deadline.is_some_and(|deadline| deadline <= now) {
        let text = "the deadline had passed before the request was sent";
        return Err(Error::new(ErrorKind::StreamDeadline, text));
    }
    Ok(())
}

/// The deadline of a request that is under way has passed. How far the request came is not known
/// here: its endpoint may have seen it.
pub(crate) fn expired() -> Error {
    let text = "the deadline passed before an answer came";
    Error::new(ErrorKind::StreamDeadline, text).sent()
}
