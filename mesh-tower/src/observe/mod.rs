//! What observers are told of a request: one account, carried by the request and then by its
//! response body.
//!
//! It is told once, whichever way the request ends: whoever ends it says how, and one that is
//! dropped untold was given up by its caller. An account has no memory of its own; where nobody
//! observes there is none.

mod head;

use std::{sync::Arc, time::Instant};

use http::{Extensions, HeaderMap, Request, Response};
use mesh_core::{
    Error, ErrorKind,
    observe::{
        AttemptSummary, Call, End, GrpcMethod, HttpMethod, RequestObserver, RequestSummary, Trace,
        Watch,
    },
    policy::{
        grpc_status::{GrpcCode, GrpcCodes},
        head::RequestHead,
        matcher::grpc,
        route::CompiledRoute,
    },
    runtime::EndpointState,
};

use self::head::Head;
use crate::{clock, request::Decision, response::GuardedBody};

/// Finds in a request's extensions which gRPC method it calls, where generated code has put that.
pub type KnownMethods = fn(&Extensions) -> Option<GrpcMethod>;

/// One request's account.
#[derive(Debug)]
pub(crate) struct Account {
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
    told: bool,
}

/// An attempt under way.
#[derive(Debug)]
struct Attempt {
    began: Instant,
    endpoint: Option<Arc<EndpointState>>,
    head: Option<Head>,
}

/// Gives a request that has been routed to those who watch its cluster.
pub(crate) fn chosen(account: &mut Option<Account>, decision: &mut Decision) {
    match (account.as_mut(), decision.watch.take()) {
        (None, _) => {}
        (Some(account), Some(watch)) => {
            account.watch = watch;
            account.routed(decision);
        }
        (Some(unwanted), None) => {
            unwanted.told = true;
            *account = None;
        }
    }
}

impl Account {
    /// Opens the account of a request that arrived at `arrival`, if anybody watches.
    pub(crate) fn open<B>(
        watch: &Watch,
        request: &Request<B>,
        arrival: Instant,
        methods: KnownMethods,
        codes: GrpcCodes,
    ) -> Option<Self> {
        let watch = Arc::clone(watch.as_ref()?);
        let call = if grpc::is_grpc(request.headers()) {
            Call::Grpc(methods(request.extensions()))
        } else {
            Call::Http(HttpMethod::from(request.method()))
        };
        Some(Self {
            trace: watch.begin(&RequestHead::of(request)),
            watch,
            arrival,
            route: None,
            attempt: None,
            head: None,
            call,
            codes,
            attempts: 0,
            retries: 0,
            transparent: 0,
            unseen: false,
            told: false,
        })
    }

    fn routed(&mut self, decision: &Decision) {
        if let Some(trace) = &mut self.trace {
            trace.routed(&decision.route.route.name, decision.cluster.name());
        }
        self.route = Some(Arc::clone(&decision.route));
    }

    /// An attempt begins.
    pub(crate) fn attempt(&mut self, headers: &mut HeaderMap) {
        let number = &mut self.attempts;
        *number += 1;
        if *number > 1 {
            let again = if self.unseen {
                &mut self.transparent
            } else {
                &mut self.retries
            };
            *again += 1;
        }
        if let Some(trace) = &mut self.trace {
            trace.attempt_started(*number, headers);
        }
        self.watch.attempt_started(self.call);
        self.attempt = Some(Attempt {
            began: clock::now(),
            endpoint: None,
            head: None,
        });
    }

    /// The attempt goes to this endpoint; the last word counts.
    pub(crate) fn picked(&mut self, endpoint: &Arc<EndpointState>) {
        if let Some(attempt) = &mut self.attempt {
            attempt.endpoint = Some(Arc::clone(endpoint));
        }
    }

    /// The attempt was answered or failed. One that was answered goes on with the answer's body.
    pub(crate) fn came<B>(&mut self, answer: &Result<Response<B>, Error>) {
        match answer {
            Ok(answer) => {
                if let Some(attempt) = &mut self.attempt {
                    attempt.head = Some(Head::of(answer, self.call));
                }
            }
            Err(error) => {
                self.unseen = error.kind() == ErrorKind::Reset && !error.was_sent();
                self.end_attempt(End::Failed(error), clock::now());
            }
        }
    }

    /// The attempt's answer is not final: what is left of it is not read.
    pub(crate) fn discarded(&mut self) {
        self.unseen = false;
        self.end_attempt(End::Answered, clock::now());
    }

    /// The request's answer has trailers.
    pub(crate) fn see_trailers(&mut self, trailers: &HeaderMap) {
        if self.call.is_grpc() {
            let code = GrpcCode::read(trailers);
            let attempt = self.attempt.as_mut().and_then(|it| it.head.as_mut());
            for head in self.head.iter_mut().chain(attempt) {
                head.see(code);
            }
        }
    }

    /// The request has ended.
    pub(crate) fn end(mut self, end: End<'_>) {
        self.tell(end);
    }

    /// The request's answer is here, whoever made it; its body carries the account on.
    pub(crate) fn answered(mut self, response: &mut Response<GuardedBody>) {
        self.head = Some(Head::of(response, self.call));
        response.body_mut().account(self);
    }

    fn tell(&mut self, end: End<'_>) {
        self.told = true;
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

impl Drop for Account {
    fn drop(&mut self) {
        if !self.told {
            let end = match self.head {
                Some(_) => End::Dropped,
                None => End::Cancelled,
            };
            self.tell(end);
        }
    }
}
