//! The account of a request that somebody observes.

use std::{sync::Arc, time::Instant};

use http::{HeaderMap, Response, request::Parts};
use mesh_core::{
    Error, ErrorKind,
    observe::{AttemptSummary, Call, End, HttpMethod, RequestObserver, RequestSummary, Trace},
    policy::{
        grpc_status::{GrpcCode, GrpcCodes},
        head::RequestHead,
        route::CompiledRoute,
    },
    runtime::EndpointState,
};

use super::{Arrived, head::Head};
use crate::{clock, request::Decision, response::GuardedBody};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Open {
    watch: Arc<dyn RequestObserver>,
    trace: Option<Box<dyn Trace>>,
    arrival: Instant,
    route: Option<Arc<CompiledRoute>>,
    attempt: Option<Attempt>,
    head: Option<Head>,
    call: Call,
    codes: GrpcCodes,
    attempts: u32,
    retries: u32,
    transparent: u32,
    // The attempt before was not seen by any endpoint.
    unseen: bool,
}

/// An attempt under way.
#[derive(Debug)]
struct Attempt {
    began: Instant,
    endpoint: Option<Arc<EndpointState>>,
    head: Option<Head>,
}

impl Open {
    pub(super) fn new(watch: Arc<dyn RequestObserver>, head: &Parts, arrived: &Arrived) -> Self {
        let call = if arrived.grpc {
            let method = arrived.calls.and_then(|method| method(&head.extensions));
            Call::Grpc(method)
        } else {
            Call::Http(HttpMethod::from(&head.method))
        };
        let trace = watch.traces();
        let trace = trace.then(|| watch.begin(&RequestHead::of_parts(head)));
        Self {
            trace: trace.flatten(),
            watch,
            arrival: arrived.at,
            route: None,
            attempt: None,
            head: None,
            call,
            codes: arrived.codes,
            attempts: 0,
            retries: 0,
            transparent: 0,
            unseen: false,
        }
    }

    pub(super) fn chosen(&mut self, watch: Arc<dyn RequestObserver>, decision: &Decision) {
        self.watch = watch;
        if let Some(trace) = &mut self.trace {
            trace.routed(&decision.route.route.name, decision.cluster.name());
        }
        self.route = Some(Arc::clone(&decision.route));
    }

    pub(super) fn attempt(&mut self, headers: &mut HeaderMap, now: Instant) {
        self.attempts += 1;
        match (self.attempts, self.unseen) {
            (1, _) => {}
            (_, true) => self.transparent += 1,
            (_, false) => self.retries += 1,
        }
        if let Some(trace) = &mut self.trace {
            trace.attempt_started(self.attempts, headers);
        }
        self.watch.attempt_started(self.call);
        self.attempt = Some(Attempt {
            began: now,
            endpoint: None,
            head: None,
        });
    }

    pub(super) fn picked(&mut self, endpoint: &Arc<EndpointState>) {
        if let Some(attempt) = &mut self.attempt {
            attempt.endpoint = Some(Arc::clone(endpoint));
        }
    }

    pub(super) fn came(&mut self, answer: &Result<Response<GuardedBody>, Error>) {
        match answer {
            Ok(answer) => {
                if let Some(attempt) = &mut self.attempt {
                    attempt.head = Some(Head::sent(answer, self.call));
                }
            }
            Err(error) => {
                self.unseen = error.kind() == ErrorKind::Reset && !error.was_sent();
                self.end_attempt(End::Failed(error), clock::now());
            }
        }
    }

    pub(super) fn discarded(&mut self) {
        self.unseen = false;
        self.end_attempt(End::Answered, clock::now());
    }

    pub(super) fn answered(&mut self, response: &Response<GuardedBody>, changed: bool) {
        let same = self.attempt.as_ref().filter(|_| !changed);
        let same = same.and_then(|attempt| attempt.head);
        self.head = same.or_else(|| Some(Head::of(response, self.call)));
    }

    pub(super) fn see(&mut self, code: Option<GrpcCode>) {
        if self.call.is_grpc() {
            let attempt = self.attempt.as_mut().and_then(|it| it.head.as_mut());
            for head in self.head.iter_mut().chain(attempt) {
                head.see(code);
            }
        }
    }

    /// How the request ended if nobody said so. Of a gRPC answer whose code is known there was no more
    /// to wait for.
    pub(super) fn given_up(&self) -> End<'static> {
        match self.head {
            Some(head) if head.code().is_some() => End::Answered,
            Some(_) => End::Dropped,
            None => End::Cancelled,
        }
    }

    pub(super) fn tell(&mut self, end: End<'_>) {
        let now = clock::now();
        self.end_attempt(end, now);
        let mut summary = RequestSummary::new(self.call, end);
        summary.route = self.route.as_ref().map(|route| &*route.route.name);
        summary.duration = now.saturating_duration_since(self.arrival);
        summary.attempts = self.attempts;
        summary.retries = self.retries;
        summary.transparent_retries = self.transparent;
        summary.status = self.head.map(Head::status);
        summary.code = self.code(self.head, &end);
        if let Some(trace) = &mut self.trace {
            trace.ended(&summary);
        }
        self.watch.ended(&summary);
    }

    fn end_attempt(&mut self, end: End<'_>, now: Instant) {
        let Some(attempt) = self.attempt.take() else {
            return;
        };
        let mut summary = AttemptSummary::new(self.call, end);
        summary.number = self.attempts;
        summary.endpoint = attempt.endpoint.as_deref();
        summary.duration = now.saturating_duration_since(attempt.began);
        summary.status = attempt.head.map(Head::status);
        summary.code = self.code(attempt.head, &end);
        if let Some(trace) = &mut self.trace {
            trace.attempt_ended(&summary);
        }
        self.watch.attempt_ended(&summary);
    }

    /// The code of a gRPC call that ended like this: what the answer says counts unless it was cut.
    fn code(&self, head: Option<Head>, end: &End<'_>) -> Option<GrpcCode> {
        if !self.call.is_grpc() {
            return None;
        }
        let said = head.and_then(Head::code);
        Some(match end {
            End::Failed(error) => self.codes.of_error(error),
            // An answer without a code was cut short without a word (gRPC over HTTP/2).
            End::Answered => said.unwrap_or(GrpcCode::UNKNOWN),
            End::Cancelled | End::Dropped => said.unwrap_or(GrpcCode::CANCELLED),
        })
    }
}
