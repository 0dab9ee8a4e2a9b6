//! Filters: what the listener's chain does to each request and each answer.
//!
//! # What it does
//! Runs the request's head through the chain that its route gives, waits where a filter waits, and
//! the answer's head back through the same filters in reverse.
//!
//! # Reads
//! [`Decision::filters`](crate::request::Decision::filters).
//!
//! # Order
//! Below the stream deadline, which bounds injected delays; above the retries, so that filters see a
//! request once (gRFC A33).
//!
//! # Emits
//! Answers of filters, as responses: for a gRPC request a status in the headers.
//!
//! # Cancellation
//! A wait ends with the future; what a filter held, its guard frees.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use futures_util::future::Either;
use http::{Request, Response};
use mesh_core::{
    Error,
    filter::{FilterRun, Step, Timer},
    policy::head::RequestHead,
};

use crate::{clock, mesh::TargetCell, request::Routed, response::GuardedBody, serve::Serve};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Filter<S> {
    target: Arc<TargetCell>,
    inner: S,
}

impl<S> Filter<S> {
    pub(crate) const fn new(target: Arc<TargetCell>, inner: S) -> Self {
        Self { target, inner }
    }
}

impl<S: Serve> Serve for Filter<S> {
    fn serve(
        &self,
        routed: &mut Routed,
    ) -> impl Future<Output = Result<Response<GuardedBody>, Error>> + Send {
        let filters = &routed.decision.filters;
        if filters.is_empty()
            || filters.is_idle(routed.decision.draw, &RequestHead::of(&routed.request))
        {
            Either::Left(self.inner.serve(routed))
        } else {
            // Boxed: filters are few, and every request would carry the room for them.
            Either::Right(Box::pin(self.run(routed)))
        }
    }
}

impl<S: Serve> Filter<S> {
    async fn run(&self, routed: &mut Routed) -> Result<Response<GuardedBody>, Error> {
        let (mut head, body) = std::mem::take(&mut routed.request).into_parts();
        let decision = &mut routed.decision;
        let (draw, grpc) = (decision.draw, decision.grpc);
        let mut run = FilterRun::new(decision.filters.clone(), draw, grpc);
        let mut step = run.on_request(&Clock, &mut head);
        let response = loop {
            step = match step {
                Step::Wait(wait) => {
                    let verdict = wait.await;
                    routed.began = clock::now();
                    run.resume(verdict, &Clock, &mut head)
                }
                Step::Reroute => {
                    let seen = RequestHead::new(&head.method, &head.uri, &head.headers);
                    let watch = self.target.redecide(&seen, decision)?;
                    routed.account.chosen(watch, decision);
                    run.reroute(decision.filters.clone());
                    run.on_request(&Clock, &mut head)
                }
                Step::Reply(reply) => {
                    break reply.into_response(grpc).map(GuardedBody::local);
                }
                Step::Done => {
                    routed.request = Request::from_parts(head, body);
                    break self.inner.serve(routed).await?;
                }
            };
        };
        let (mut head, body) = response.into_parts();
        run.on_response(&Clock, &mut head);
        Ok(Response::from_parts(head, body))
    }
}

/// Tokio's clock, for filters that wait.
struct Clock;

impl Timer for Clock {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
