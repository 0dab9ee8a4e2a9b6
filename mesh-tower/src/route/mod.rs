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

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body::Body;
use mesh_core::{
    Error, ErrorKind,
    config::GrpcTimeoutRule,
    error::BoxError,
    observe::{End, Watch},
    policy::{deadline, head::RequestHead, matcher::grpc},
    runtime::View,
};

use crate::{
    activity::Activity,
    alarm::Alarm,
    body::RequestBody,
    clock,
    connect::Pool,
    deadline::not_passed,
    mesh::TargetCell,
    observe::{Account, Arrived, KnownMethods},
    request::{CallerDeadline, Decision, Routed, WaitForReady, body_failed},
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
    ///
    /// The body is polled once here: one that is all there becomes full, and costs no stream. The
    /// alarm is lent: one that was set for a request before is as good as new. Whoever watches what
    /// happens is told what the route says of it.
    pub(crate) async fn serve<B>(
        &self,
        head: Parts,
        body: B,
        arrival: Instant,
        calls: Option<KnownMethods>,
        alarm: &mut Alarm,
        activity: Option<&Activity>,
    ) -> Result<Response<GuardedBody>, Error>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let body = RequestBody::eager(body).await;
        let body =
            body.map_err(|source| self.refuse(&head, arrival, body_failed(source), calls))?;
        let mut now = arrival;
        let (view, account) = match self.target.view() {
            Some(view) => (view, Account::default()),
            None => {
                let account = self.unrouted(&head, arrival, calls);
                // Boxed: few requests wait, and all would carry the room for it.
                let waited = Box::pin(self.wait(arrival, own_limit(&head), account)).await;
                now = clock::now();
                waited?
            }
        };
        let (decision, account) = self.route(&head, &view, account, arrival, calls)?;
        if let Some(activity) = activity
            && let Ok(forward) = decision.route.forward()
            && let Some(idle) = forward.idle_timeout
        {
            activity.limit(idle);
        }
        // What the request needs of it, the decision holds.
        drop(view);
        let mut routed = Routed {
            request: Request::from_parts(head, body),
            decision,
            account,
            attempts: 0,
            route_ends: None,
            began: now,
            alarm: alarm.take(),
            endpoint: None,
        };
        if let Err(late) = not_passed(routed.decision.deadline, now) {
            let late = placed(&routed, late);
            return Err(self.failed(&mut routed.account, late));
        }
        let mut answer = self.inner.serve(&mut routed).await;
        *alarm = routed.alarm.take();
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
        head: &Parts,
        view: &View<Pool>,
        mut account: Account,
        arrival: Instant,
        calls: Option<KnownMethods>,
    ) -> Result<(Decision, Account), Error> {
        let (decision, watch) = match self.decide(view, head, arrival, calls.is_some()) {
            Ok(decided) => decided,
            Err(error) => {
                if account.is_empty() {
                    account = self.unrouted(head, arrival, calls);
                }
                return Err(self.failed(&mut account, error));
            }
        };
        if account.is_empty() {
            let arrived = self.arrived(decision.grpc, arrival, calls);
            account = Account::open(&watch, head, &arrived);
        }
        account.chosen(watch, &decision);
        Ok((decision, account))
    }

    /// Gives the error of a request that never began.
    fn refuse(
        &self,
        head: &Parts,
        at: Instant,
        error: Error,
        calls: Option<KnownMethods>,
    ) -> Error {
        let mut account = self.unrouted(head, at, calls);
        self.failed(&mut account, error)
    }

    /// The account of a request for which no cluster was chosen.
    fn unrouted(&self, head: &Parts, at: Instant, calls: Option<KnownMethods>) -> Account {
        let grpc = grpc::is_grpc(&head.headers);
        let arrived = self.arrived(grpc, at, calls);
        Account::open(self.target.watch(), head, &arrived)
    }

    fn arrived(&self, grpc: bool, at: Instant, calls: Option<KnownMethods>) -> Arrived {
        let codes = self.target.codes();
        Arrived {
            at,
            grpc,
            calls,
            codes,
        }
    }

    /// The error of a request that has failed, once it is told.
    fn failed(&self, account: &mut Account, error: Error) -> Error {
        let error = error.for_target(self.target.name().as_str());
        account.end(End::Failed(&error));
        error
    }

    /// Decides for a request; `own` if its `grpc-timeout` is the caller's own deadline.
    fn decide(
        &self,
        view: &View<Pool>,
        head: &Parts,
        arrival: Instant,
        own: bool,
    ) -> Result<(Decision, Watch), Error> {
        let draw = self.target.draw();
        let chosen = view.decide(&RequestHead::of_parts(head), draw)?;
        let forward = chosen.route.forward().map_err(|reason| {
            let text = reason.to_string();
            Error::new(ErrorKind::NoRoute, text)
        })?;
        let mut limit = deadline::stream_limit(&forward.stream, &head.headers);
        // The other rule has looked at it already.
        if own && forward.stream.grpc_timeout == GrpcTimeoutRule::WhenCapped {
            limit = deadline::earlier(limit, deadline::parse_grpc_timeout(&head.headers));
        }
        let limit = deadline::earlier(limit, callers_limit(head));
        let decision = Decision {
            grpc: grpc::is_grpc(&head.headers),
            wait_for_ready: head.extensions.get() == Some(&WaitForReady(true)),
            deadline: limit.and_then(|limit| arrival.checked_add(limit)),
            route: chosen.route,
            cluster: chosen.cluster,
            filters: chosen.filters,
            draw,
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
fn callers_limit(head: &Parts) -> Option<Duration> {
    let limit = head.extensions.get();
    limit.map(|&CallerDeadline(limit)| limit)
}

/// The same or by its header, whichever is shorter.
fn own_limit(head: &Parts) -> Option<Duration> {
    let header = deadline::parse_grpc_timeout(&head.headers);
    deadline::earlier(callers_limit(head), header)
}
