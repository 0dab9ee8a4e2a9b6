//! The clocks that run from the end of the request: the route's `timeout` over all attempts, and
//! `per_try_timeout` over one (Envoy, "timeouts"; dialect grpc has neither).
//!
//! # What it does
//! Lets the answer take so long, from the moment the request was wholly sent to the end of the
//! response body. While the request is still being sent no clock runs.
//!
//! Of a request that is all there both clocks are known when an attempt begins, and one timer serves
//! both: the attempt's, which tells of the route's end where that is earlier.
//!
//! # Reads
//! [`Forward::timeout`](mesh_core::config::Forward::timeout),
//! [`RetryPolicy::per_try_timeout`](mesh_core::config::RetryPolicy::per_try_timeout).
//!
//! # Order
//! Twice in the stack: around the retries, and around each attempt.
//!
//! # Emits
//! `RouteTimeout`, `AttemptTimeout`.
//!
//! # Cancellation
//! What is below is dropped, which resets its stream.

mod attempt;
mod ended;
mod route;

use std::{
    future::Future,
    pin::{Pin, pin},
    time::Duration,
};

use http::Response;
use mesh_core::{Error, ErrorKind};

pub(crate) use self::{attempt::AttemptTimeout, ended::EndOfRequest, route::RouteTimeout};
use crate::{
    clock,
    request::Routed,
    response::{Clocks, GuardedBody},
    serve::Serve,
};

/// What a clock bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    /// All attempts and the waits between them.
    Route,
    /// One attempt.
    Attempt,
}

impl Scope {
    pub(crate) const fn kind(self) -> ErrorKind {
        match self {
            Self::Route => ErrorKind::RouteTimeout,
            Self::Attempt => ErrorKind::AttemptTimeout,
        }
    }

    pub(crate) fn expired(self) -> Error {
        let text = match self {
            Self::Route => "no complete answer within the route's timeout",
            Self::Attempt => "no complete answer within the attempt's timeout",
        };
        // Counts as sent: whether it got further than waiting for a connection is not known here.
        Error::new(self.kind(), text).sent()
    }
}

/// Sends a request that comes in parts: its clock runs once all of it was sent.
async fn while_sent<S: Serve>(
    inner: &S,
    routed: &mut Routed,
    limit: Duration,
    scope: Scope,
) -> Result<Response<GuardedBody>, Error> {
    let ended = EndOfRequest::of(routed.request.body_mut());
    // Pinned here and not moved any more: it is large.
    let answer = pin!(inner.serve(routed));
    let (mut response, expiry) = bounded(ended, limit, scope, answer).await?;
    expiry.set(response.body_mut().clocks());
    Ok(response)
}

/// Waits for the head of an answer until `limit` has passed since the request was wholly sent. With
/// the head comes what is left of the limit for its body.
///
/// # Errors
/// That of `scope` when it is late, or else the answer's own.
pub(crate) async fn bounded<B>(
    ended: EndOfRequest,
    limit: Duration,
    scope: Scope,
    answer: Pin<&mut (impl Future<Output = Result<Response<B>, Error>> + ?Sized)>,
) -> Result<(Response<B>, Expiry), Error> {
    let clock = async {
        let end = ended.wait().await;
        clock::sleep_until(end.checked_add(limit)).await;
    };
    let response = tokio::select! {
        biased;
        response = answer => response?,
        () = clock => return Err(scope.expired()),
    };
    let expiry = Expiry {
        ended,
        limit,
        kind: scope.kind(),
    };
    Ok((response, expiry))
}

/// When a response body is late.
#[derive(Debug)]
pub(crate) struct Expiry {
    ended: EndOfRequest,
    limit: Duration,
    kind: ErrorKind,
}

impl Expiry {
    /// Sets the clock of the body.
    pub(crate) fn set(self, clocks: &mut Clocks) {
        match self.ended.at() {
            // Out of reach if the sum is: no limit.
            Some(end) => {
                if let Some(at) = end.checked_add(self.limit) {
                    clocks.until(at, self.kind);
                }
            }
            None => clocks.until_after(self.ended, self.limit, self.kind),
        }
    }
}
