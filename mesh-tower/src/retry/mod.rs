//! Retries: sending again what policy says, and what never left.
//!
//! # What it does
//! Saves the head, makes the body replayable, and sends the request until an answer is final. A
//! request that no endpoint has seen (the connection was closed or draining, the stream refused) is
//! sent again whatever the policy, without a wait.
//!
//! # Reads
//! The route's [`RetryPolicy`](mesh_core::config::RetryPolicy), the cluster's retry limits,
//! `grpc-retry-pushback-ms`.
//!
//! # Order
//! Around each attempt, inside the route's timeout.
//!
//! # Emits
//! The last attempt's answer or error; in dialect grpc `grpc-previous-rpc-attempts` on the retries of
//! gRPC calls (`x-envoy-attempt-count` is left to header policy).
//!
//! # Cancellation
//! The attempt under way is dropped; the replay buffer goes with the future.

mod again;
mod replay;
mod saved;

use std::{future::Future, time::Duration};

use http::{Extensions, Request, Response};
use mesh_core::{Error, ErrorKind, error::GaveUp, runtime::RetryPermit};

pub(crate) use self::again::Again;
use self::saved::Saved;
use crate::{
    body::RequestBody, clock, request::Routed, response::GuardedBody, serve::Serve, timeout::Scope,
};

/// The most bytes of a request body that are kept to send it again; a longer one is sent once.
/// Envoy's limit is the connection's buffer limit, 1 MiB by default.
pub(crate) const REPLAY_LIMIT: usize = 1 << 20;

/// The same where no policy asks for retries: an endpoint refuses a stream when it sees its head, and
/// until then takes no more of a body than HTTP/2's first window (RFC 9113 section 6.9.2).
const UNREFUSED_LIMIT: usize = 64 << 10;

/// How often a request that never left is sent again. Each time another connection is tried; past
/// this the endpoints are refusing, not just closing.
const TRANSPARENT_RETRIES: u32 = 5;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Retry<S> {
    inner: S,
}

impl<S> Retry<S> {
    pub(crate) const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S: Serve> Serve for Retry<S> {
    fn serve(
        &self,
        routed: &mut Routed,
    ) -> impl Future<Output = Result<Response<GuardedBody>, Error>> + Send {
        let forward = routed.decision.route.forward().ok();
        let policy = forward.and_then(|forward| forward.retry.clone());
        let again = Again::new(policy, routed.decision.grpc, routed.decision.draw);
        let inner = &self.inner;
        send_until_final(again, InCluster { inner, routed })
    }
}

/// How one attempt is made, and what limits the retries.
pub(crate) trait Attempts: Send {
    /// The body of an answer.
    type Body: Send;
    /// Leave to retry; held until the retry has ended.
    type Permit: Send;

    /// What is sent next.
    fn request(&mut self) -> &mut Request<RequestBody>;

    /// The extensions that are saved for the next attempts: all that what is below may read.
    fn save(extensions: &Extensions) -> Extensions {
        extensions.clone()
    }

    /// Whether this is not an attempt's end but the request's, whatever the policy.
    fn is_over(_: &Result<Response<Self::Body>, Error>) -> bool {
        false
    }

    /// An attempt begins.
    fn begin(&mut self) {}

    /// The attempt was answered or failed.
    fn came(&mut self, _: &Result<Response<Self::Body>, Error>) {}

    /// Sends the request once, and leaves an empty one.
    fn send(&mut self) -> impl Future<Output = Result<Response<Self::Body>, Error>> + Send;

    /// Waits until the next attempt is due.
    ///
    /// # Errors
    /// When the request is over before.
    fn pause(&mut self, wait: Duration) -> impl Future<Output = Result<(), Error>> + Send {
        async move {
            tokio::time::sleep(wait).await;
            Ok(())
        }
    }

    /// Leave to retry once more, if there is any.
    fn permit(&mut self) -> Option<Self::Permit>;

    /// Lets go of an answer that is not final, before the next attempt: it may hold a place at its
    /// endpoint.
    fn discard(&mut self, answer: Result<Response<Self::Body>, Error>) {
        drop(answer);
    }
}

/// Sends a request until its answer is final.
pub(crate) async fn send_until_final<A: Attempts>(
    mut again: Again<A::Permit>,
    mut attempts: A,
) -> Result<Response<A::Body>, Error> {
    let limit = if again.has_policy() {
        REPLAY_LIMIT
    } else {
        UNREFUSED_LIMIT
    };
    let saved = Saved::of(attempts.request(), limit, A::save);
    let mut attempt = 0;
    loop {
        attempt += 1;
        attempts.begin();
        let answer = attempts.send().await;
        if A::is_over(&answer) {
            return answer;
        }
        attempts.came(&answer);
        let wait = again.after(&answer, || attempts.permit());
        let lost = wait.map(|_| GaveUp::Outgrown).or(again.gave_up());
        let Some(wait) = wait.filter(|_| saved.rewind()) else {
            saved.commit();
            return again.last(answer, attempt, lost);
        };
        // Away before the wait: a future that waits has no room for it.
        attempts.discard(answer);
        if !wait.is_zero() {
            attempts.pause(wait).await?;
        }
        let request = attempts.request();
        *request = saved.replay();
        again.number(request.headers_mut());
    }
}

/// Attempts below this layer; retries stay in the cluster that was chosen for the request.
struct InCluster<'s, 'r, S> {
    inner: &'s S,
    routed: &'r mut Routed,
}

impl<S: Serve> Attempts for InCluster<'_, '_, S> {
    type Body = GuardedBody;
    type Permit = RetryPermit;

    fn request(&mut self) -> &mut Request<RequestBody> {
        &mut self.routed.request
    }

    /// Connections read no other, and to clone a map for each request is dear.
    fn save(extensions: &Extensions) -> Extensions {
        let mut saved = Extensions::new();
        if let Some(protocol) = extensions.get::<h2::ext::Protocol>() {
            saved.insert(protocol.clone());
        }
        saved
    }

    /// The route's time runs out in the attempt that is under way then.
    fn is_over(answer: &Result<Response<GuardedBody>, Error>) -> bool {
        let error = answer.as_ref().err();
        error.is_some_and(|error| error.kind() == ErrorKind::RouteTimeout)
    }

    fn begin(&mut self) {
        self.routed.attempts += 1;
        // Nothing was waited for before the first.
        if self.routed.attempts > 1 {
            self.routed.began = clock::now();
        }
        let headers = self.routed.request.headers_mut();
        self.routed.account.attempt(headers, self.routed.began);
    }

    fn came(&mut self, answer: &Result<Response<GuardedBody>, Error>) {
        self.routed.account.came(answer);
    }

    fn send(&mut self) -> impl Future<Output = Result<Response<GuardedBody>, Error>> + Send {
        self.inner.serve(self.routed)
    }

    async fn pause(&mut self, wait: Duration) -> Result<(), Error> {
        let due = clock::now().checked_add(wait);
        match self.routed.route_ends {
            Some(ends) if due.is_none_or(|due| ends <= due) => {
                clock::sleep_until(Some(ends)).await;
                Err(Scope::Route.expired())
            }
            _ => {
                clock::sleep_until(due).await;
                Ok(())
            }
        }
    }

    fn permit(&mut self) -> Option<RetryPermit> {
        let cluster = &self.routed.decision.cluster;
        cluster.state().try_retry(&cluster.config().limits)
    }

    fn discard(&mut self, answer: Result<Response<GuardedBody>, Error>) {
        if let Ok(answer) = answer {
            answer.into_body().failed();
            self.routed.account.discarded();
        }
    }
}

#[cfg(test)]
mod tests;
