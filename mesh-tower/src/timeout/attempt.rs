//! The clock over one attempt, and for that time the route's.

use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    task::Poll,
};

use http::Response;
use mesh_core::Error;

use super::{Scope, while_sent};
use crate::{request::Routed, response::GuardedBody, serve::Serve};

/// See the [module](super).
#[derive(Debug)]
pub(crate) struct AttemptTimeout<S> {
    inner: S,
}

impl<S> AttemptTimeout<S> {
    pub(crate) const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S: Serve> Serve for AttemptTimeout<S> {
    async fn serve(&self, routed: &mut Routed) -> Result<Response<GuardedBody>, Error> {
        let forward = routed.decision.route.forward().ok();
        let policy = forward.and_then(|forward| forward.retry.as_ref());
        let limit = policy.and_then(|policy| policy.per_try_timeout);
        if let Some(limit) = limit
            && routed.request.body().as_full().is_none()
        {
            // Boxed: few requests come in parts, and all would carry the room for it.
            return Box::pin(while_sent(&self.inner, routed, limit, Scope::Attempt)).await;
        }
        let ends = limit.and_then(|limit| routed.began.checked_add(limit));
        let clock = match (ends, routed.route_ends) {
            // The attempt's has no effect unless it is shorter.
            (ends, Some(route)) if ends.is_none_or(|ends| route <= ends) => {
                Some((route, Scope::Route))
            }
            (ends, _) => ends.map(|ends| (ends, Scope::Attempt)),
        };
        let Some((at, scope)) = clock else {
            return self.inner.serve(routed).await;
        };
        let mut alarm = routed.alarm.take();
        let answer = {
            // Pinned here and not moved any more: it is large.
            let mut answer = pin!(self.inner.serve(routed));
            poll_fn(|cx| {
                // Left where it is: answers are large.
                let mut polled = answer.as_mut().poll(cx);
                match &mut polled {
                    Poll::Ready(Ok(response)) => {
                        if let Some(ends) = ends {
                            let clocks = response.body_mut().clocks();
                            clocks.until(ends, Scope::Attempt.kind());
                        }
                    }
                    Poll::Pending if alarm.poll(at, cx).is_ready() => {
                        return Poll::Ready(Err(scope.expired()));
                    }
                    Poll::Ready(Err(_)) | Poll::Pending => {}
                }
                polled
            })
            .await
        };
        routed.alarm = alarm;
        answer
    }
}
