//! What is counted of each request.

use std::sync::OnceLock;

use mesh_core::{
    ErrorKind,
    name::{ClusterName, Target},
    observe::{AttemptSummary, Call, End, RequestObserver, RequestSummary},
};
use metrics::Counter;

use super::{grpc::Calls, http::Requests};
use crate::{handle, table};

/// The names that a watch puts on its series.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) target: Target,
    /// None if none was chosen, or if clusters are not told apart.
    pub(super) cluster: Option<ClusterName>,
}

/// The handles of one target and cluster. Each is made when it is first used: most of the statuses
/// and errors that there are never come.
#[derive(Debug)]
pub(super) struct Watched {
    names: Names,
    calls: OnceLock<Box<Calls>>,
    requests: OnceLock<Box<Requests>>,
    trouble: OnceLock<Box<Trouble>>,
}

/// What ends badly or late, and so not often.
#[derive(Debug)]
struct Trouble {
    failed: [OnceLock<Counter>; ErrorKind::ALL.len()],
    cancelled: OnceLock<Counter>,
    dropped: OnceLock<Counter>,
    retries: OnceLock<Counter>,
    transparent: OnceLock<Counter>,
}

impl Names {
    /// Empty if there is none.
    pub(super) fn cluster(&self) -> &str {
        self.cluster.as_ref().map_or("", ClusterName::as_str)
    }
}

impl Watched {
    pub(super) fn new(target: &Target, cluster: Option<&ClusterName>) -> Self {
        Self {
            names: Names {
                target: target.clone(),
                cluster: cluster.cloned(),
            },
            calls: OnceLock::new(),
            requests: OnceLock::new(),
            trouble: OnceLock::new(),
        }
    }

    fn calls(&self) -> &Calls {
        self.calls.get_or_init(Box::default)
    }

    #[cold]
    fn trouble(&self, request: &RequestSummary<'_>) {
        let trouble = self.trouble.get_or_init(Box::default);
        let (target, cluster) = (self.names.target.as_str(), self.names.cluster());
        let counter = |place: &'_ OnceLock<Counter>, metric, value: &str, count: u32| {
            if count > 0 {
                let make = || handle::counter(metric, &[target, cluster, value]);
                place.get_or_init(make).increment(u64::from(count));
            }
        };
        match request.end {
            End::Answered => {}
            End::Failed(error) => {
                let kind = error.kind();
                if let Some(place) = trouble.failed.get(kind as usize) {
                    counter(place, &table::REQUESTS_FAILED, error_type(kind), 1);
                }
            }
            End::Cancelled => {
                counter(
                    &trouble.cancelled,
                    &table::REQUESTS_GIVEN_UP,
                    "cancelled",
                    1,
                );
            }
            End::Dropped => {
                counter(&trouble.dropped, &table::REQUESTS_GIVEN_UP, "dropped", 1);
            }
        }
        let again = &table::RETRIES;
        counter(&trouble.retries, again, "policy", request.retries);
        let transparent = request.transparent_retries;
        counter(&trouble.transparent, again, "transparent", transparent);
    }
}

impl RequestObserver for Watched {
    fn attempt_started(&self, call: Call) {
        if let Call::Grpc(method) = call {
            self.calls().of(method, &self.names).started.increment(1);
        }
    }

    fn attempt_ended(&self, attempt: &AttemptSummary<'_>) {
        if let (Call::Grpc(method), Some(code)) = (attempt.call, attempt.code) {
            let method = self.calls().of(method, &self.names);
            method.attempt(code, &self.names).record(attempt.duration);
        }
    }

    fn ended(&self, request: &RequestSummary<'_>) {
        match (request.call, request.code) {
            (Call::Grpc(method), Some(code)) => {
                let method = self.calls().of(method, &self.names);
                method.call(code, &self.names).record(request.duration);
            }
            (Call::Http(method), _) => {
                let requests = self.requests.get_or_init(Box::default);
                requests.record(method, request, &self.names);
            }
            (Call::Grpc(None | Some(_)), None) => {}
        }
        if request.attempts > 1 || !matches!(request.end, End::Answered) {
            self.trouble(request);
        }
    }
}

impl Default for Trouble {
    fn default() -> Self {
        Self {
            failed: [const { OnceLock::new() }; ErrorKind::ALL.len()],
            cancelled: OnceLock::new(),
            dropped: OnceLock::new(),
            retries: OnceLock::new(),
            transparent: OnceLock::new(),
        }
    }
}

/// An error's kind as the value of `error.type`.
pub(crate) const fn error_type(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NoRoute => "no_route",
        ErrorKind::NoCluster => "no_cluster",
        ErrorKind::NotReady => "not_ready",
        ErrorKind::NoEndpoint => "no_endpoint",
        ErrorKind::Connect => "connect",
        ErrorKind::ConnectTimeout => "connect_timeout",
        ErrorKind::Tls => "tls",
        ErrorKind::Overloaded => "overloaded",
        ErrorKind::Dropped => "dropped",
        ErrorKind::Reset => "reset",
        ErrorKind::Protocol => "protocol",
        ErrorKind::StreamDeadline => "stream_deadline",
        ErrorKind::RouteTimeout => "route_timeout",
        ErrorKind::AttemptTimeout => "attempt_timeout",
        ErrorKind::StreamIdle => "stream_idle",
        ErrorKind::Denied => "denied",
        ErrorKind::Unauthenticated => "unauthenticated",
        ErrorKind::RateLimited => "rate_limited",
        ErrorKind::BadRequest => "bad_request",
        ErrorKind::TooLarge => "too_large",
        ErrorKind::ReplayOverflow => "replay_overflow",
        ErrorKind::Cancelled => "cancelled",
        ErrorKind::Internal => "internal",
        // Kinds that are not known here yet.
        _ => "_OTHER",
    }
}
