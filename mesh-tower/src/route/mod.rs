//! Routing: from a request to a request with its route and cluster.
//!
//! # What it does
//! Loads the target's view once, finds virtual host, route and cluster, and computes the deadline.
//! Before the first view it waits: until the caller's deadline, or 15 s.
//!
//! # Reads
//! Method, scheme, authority, path, headers; the extensions [`WaitForReady`], [`CallerDeadline`].
//!
//! # Order
//! Outermost: everything else needs its decision.
//!
//! # Emits
//! `NoRoute`, `NoCluster`, `NotReady`.
//!
//! # Cancellation
//! Nothing is held while it waits.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{Request, Response};
use mesh_core::{
    Error, ErrorKind,
    observe::{End, Watch},
    policy::{deadline, head::RequestHead, matcher::grpc},
    runtime::View,
};

use crate::{
    body::RequestBody,
    clock,
    connect::Pool,
    deadline::not_passed,
    mesh::TargetCell,
    observe::{Account, Arrived, KnownMethods},
    request::{CallerDeadline, Decision, Routed, WaitForReady},
    response::GuardedBody,
    serve::Serve,
};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Route<S> {
    target: Arc<TargetCell>,
    inner: S,
}

impl<S> Route<S> {
    pub(crate) const fn new(target: Arc<TargetCell>, inner: S) -> Self {
        Self { target, inner }
    }
}

impl<S: Serve> Route<S> {
    /// Routes a request and has it answered.
    pub(crate) async fn serve(
        &self,
        request: Request<RequestBody>,
        methods: KnownMethods,
    ) -> Result<Response<GuardedBody>, Error> {
        let arrival = clock::now();
        let mut now = arrival;
        let (view, account) = match self.target.view() {
            Some(view) => (view, Account::default()),
            None => {
                let account = self.unrouted(&request, arrival, methods);
                // Boxed: few requests wait, and all would carry the room for it.
                let waited = Box::pin(self.wait(arrival, own_limit(&request), account)).await;
                now = clock::now();
                waited?
            }
        };
        let mut routed = self.route(request, &view, account, arrival, methods)?;
        // What the request needs of it, the decision holds.
        drop(view);
        if let Err(late) = not_passed(routed.decision.deadline, now) {
            let late = placed(&routed, late);
            return Err(self.failed(&mut routed.account, late));
        }
        let mut answer = self.inner.serve(&mut routed).await;
        // Left where it is: answers are large.
        if let Ok(response) = &mut answer {
            let changed = !routed.decision.filters.is_empty();
            routed.account.answered(response, changed);
            let target = self.target.name().clone();
            response.body_mut().asked(target, routed.decision.route);
            return answer;
        }
        answer.map_err(|error| {
            let error = placed(&routed, error);
            self.failed(&mut routed.account, error)
        })
    }

    /// Waits for the first view.
    async fn wait(
        &self,
        arrival: Instant,
        own: Option<Duration>,
        mut account: Account,
    ) -> Result<(Arc<View<Pool>>, Account), Error> {
        match self.target.wait(arrival, own).await {
            Ok(view) => Ok((view, account)),
            Err(error) => Err(self.failed(&mut account, error)),
        }
    }

    /// Decides for a request; its account is open from before, or is opened here.
    fn route(
        &self,
        request: Request<RequestBody>,
        view: &View<Pool>,
        mut account: Account,
        arrival: Instant,
        methods: KnownMethods,
    ) -> Result<Routed, Error> {
        let (decision, watch) = match self.decide(view, &request, arrival) {
            Ok(decided) => decided,
            Err(error) => {
                if account.is_empty() {
                    account = self.unrouted(&request, arrival, methods);
                }
                return Err(self.failed(&mut account, error));
            }
        };
        if account.is_empty() {
            let arrived = self.arrived(decision.grpc, arrival, methods);
            account = Account::open(&watch, &request, &arrived);
        }
        account.chosen(watch, &decision);
        Ok(Routed {
            request,
            decision,
            account,
            attempts: 0,
            endpoint: None,
        })
    }

    /// Gives the error of a request that never began.
    pub(crate) fn refuse(&self, head: &Request<()>, error: Error, methods: KnownMethods) -> Error {
        let mut account = self.unrouted(head, clock::now(), methods);
        self.failed(&mut account, error)
    }

    /// The account of a request for which no cluster was chosen.
    fn unrouted<B>(&self, request: &Request<B>, at: Instant, methods: KnownMethods) -> Account {
        let grpc = grpc::is_grpc(request.headers());
        let arrived = self.arrived(grpc, at, methods);
        Account::open(self.target.watch(), request, &arrived)
    }

    fn arrived(&self, grpc: bool, at: Instant, methods: KnownMethods) -> Arrived {
        let codes = self.target.codes();
        Arrived {
            at,
            grpc,
            methods,
            codes,
        }
    }

    /// The error of a request that has failed, once it is told.
    fn failed(&self, account: &mut Account, error: Error) -> Error {
        let error = error.for_target(self.target.name().as_str());
        account.end(End::Failed(&error));
        error
    }

    fn decide(
        &self,
        view: &View<Pool>,
        request: &Request<RequestBody>,
        arrival: Instant,
    ) -> Result<(Decision, Watch), Error> {
        let draw = self.target.draw();
        let head = RequestHead::of(request);
        let chosen = view.decide(&head, draw)?;
        let limit = match chosen.route.forward() {
            Ok(forward) => deadline::stream_limit(&forward.stream, request.headers()),
            Err(reason) => return Err(Error::new(ErrorKind::NoRoute, reason.to_string())),
        };
        let limit = deadline::earlier(limit, callers_limit(request));
        let grpc = grpc::is_grpc(request.headers());
        let decision = Decision {
            route: chosen.route,
            cluster: chosen.cluster,
            filters: chosen.filters,
            draw,
            grpc,
            wait_for_ready: request.extensions().get() == Some(&WaitForReady(true)),
            deadline: limit.and_then(|limit| arrival.checked_add(limit)),
        };
        Ok((decision, chosen.watch))
    }
}

/// Names route, cluster, endpoint and attempt in an error of a request that was under way.
fn placed(routed: &Routed, error: Error) -> Error {
    let error = error.on_route(&routed.decision.route.route.name);
    // A filter sent it on to where no route takes it.
    if error.kind() == ErrorKind::NoRoute {
        return error;
    }
    let error = error
        .in_cluster(routed.decision.cluster.name().as_str())
        .in_attempt(routed.attempts);
    match &routed.endpoint {
        Some(endpoint) => error.at_endpoint(endpoint.state().key().as_str()),
        None => error,
    }
}

/// How long the caller waits, by its extension.
fn callers_limit(request: &Request<RequestBody>) -> Option<Duration> {
    let limit = request.extensions().get();
    limit.map(|&CallerDeadline(limit)| limit)
}

/// The same or by its header, whichever is shorter.
fn own_limit(request: &Request<RequestBody>) -> Option<Duration> {
    let header = deadline::parse_grpc_timeout(request.headers());
    deadline::earlier(callers_limit(request), header)
}
