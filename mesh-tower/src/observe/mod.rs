//! What observers are told of a request: one account, carried by the request and then by its
//! response body.
//!
//! It is told once, whichever way the request ends: whoever ends it says how, and one that is
//! dropped untold was given up by its caller. Where nobody observes it is an empty word.

mod head;
mod open;
mod spare;

use std::{sync::Arc, time::Instant};

use http::{Extensions, HeaderMap, Response, request::Parts};
use mesh_core::{
    Error,
    observe::{End, GrpcMethod, Watch},
    policy::grpc_status::{GrpcCode, GrpcCodes},
    runtime::EndpointState,
};

use self::{open::Open, spare::Spare};
use crate::{request::Decision, response::GuardedBody};

/// Finds in a request's extensions which gRPC method it calls, where generated code has put that.
pub type KnownMethods = fn(&Extensions) -> Option<GrpcMethod>;

/// How a request came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived {
    /// When.
    pub(crate) at: Instant,
    /// Whether it is gRPC.
    pub(crate) grpc: bool,
    /// What knows the methods of gRPC calls.
    pub(crate) calls: Option<KnownMethods>,
    /// The codes under which its failures are told.
    pub(crate) codes: GrpcCodes,
}

/// One request's account; empty where nobody observes. One word: it is moved often, and most often
/// for nothing.
#[derive(Debug, Default)]
pub(crate) struct Account(Option<Spare>);

impl Account {
    /// Opens the account of a request, if anybody watches.
    pub(crate) fn open(watch: &Watch, head: &Parts, arrived: &Arrived) -> Self {
        let watch = watch.as_ref().filter(|it| it.watches());
        let open = watch.map(|watch| {
            let watch = Arc::clone(watch);
            Spare::fill(Open::new(watch, head, arrived))
        });
        Self(open)
    }

    /// Whether there is none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn get(&mut self) -> Option<&mut Open> {
        self.0.as_mut()?.get()
    }

    /// Route and cluster are chosen: whoever watches the cluster is told from now on.
    pub(crate) fn chosen(&mut self, watch: Watch, decision: &Decision) {
        if let Some(open) = self.get() {
            match watch {
                Some(watch) => open.chosen(watch, decision),
                // Nobody is told of this cluster's requests.
                None => self.0 = None,
            }
        }
    }

    /// An attempt begins, and will send these headers.
    pub(crate) fn attempt(&mut self, headers: &mut HeaderMap, now: Instant) {
        if let Some(open) = self.get() {
            open.attempt(headers, now);
        }
    }

    /// The attempt goes to this endpoint; the last word counts.
    pub(crate) fn picked(&mut self, endpoint: &Arc<EndpointState>) {
        if let Some(open) = self.get() {
            open.picked(endpoint);
        }
    }

    /// The attempt was answered or failed. One that was answered goes on with the answer's body.
    pub(crate) fn came(&mut self, answer: &Result<Response<GuardedBody>, Error>) {
        if let Some(open) = self.get() {
            open.came(answer);
        }
    }

    /// The attempt's answer is not final: what is left of it is not read.
    pub(crate) fn discarded(&mut self) {
        if let Some(open) = self.get() {
            open.discarded();
        }
    }

    /// The request's answer is here, whoever made it; its body carries the account on. Unless it is
    /// `changed`, it is as its endpoint sent it.
    pub(crate) fn answered(&mut self, response: &mut Response<GuardedBody>, changed: bool) {
        if let Some(open) = self.get() {
            open.answered(response, changed);
            response.body_mut().account(std::mem::take(self));
        }
    }

    /// The answer's trailers have come, with this code.
    pub(crate) fn see(&mut self, code: Option<GrpcCode>) {
        if let Some(open) = self.get() {
            open.see(code);
        }
    }

    /// The request has ended.
    pub(crate) fn end(&mut self, end: End<'_>) {
        if let Some(mut ended) = self.0.take()
            && let Some(open) = ended.get()
        {
            open.tell(end);
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if let Some(open) = self.get() {
            let end = open.given_up();
            self.end(end);
        }
    }
}
