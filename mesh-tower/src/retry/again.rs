//! Whether a request is sent again, and after what wait.

use std::time::Duration;

use http::Response;
use mesh_core::{
    Error, ErrorKind,
    config::RetryPolicy,
    entropy::mix,
    policy::retry::{Attempted, Pushback, pushback, should_retry},
    runtime::RetryPermit,
};

use super::TRANSPARENT_RETRIES;
use crate::{request::Decision, response::GuardedBody};

/// The retries of one request so far.
#[derive(Debug)]
pub(super) struct Again<'a> {
    policy: Option<&'a RetryPolicy>,
    decision: &'a Decision,
    retries: u32,
    transparent: u32,
    // Held while a retry is under way: it counts against the cluster's limit.
    permit: Option<RetryPermit>,
}

impl<'a> Again<'a> {
    pub(super) const fn new(policy: Option<&'a RetryPolicy>, decision: &'a Decision) -> Self {
        Self {
            policy,
            decision,
            retries: 0,
            transparent: 0,
            permit: None,
        }
    }

    /// Judges an answer: how long to wait before the request is sent again, if it is.
    pub(super) fn after(
        &mut self,
        answer: &Result<Response<GuardedBody>, Error>,
    ) -> Option<Duration> {
        if let Err(error) = answer
            && error.kind() == ErrorKind::Reset
            && !error.was_sent()
            && self.transparent < TRANSPARENT_RETRIES
        {
            self.transparent += 1;
            return Some(Duration::ZERO);
        }
        let policy = self.policy?;
        if self.retries >= policy.num_retries || !should_retry(policy, self.attempted(answer)) {
            return None;
        }
        let wait = match answer
            .as_ref()
            .ok()
            .and_then(|answer| pushback(answer.headers()))
        {
            Some(Pushback::Stop) => return None,
            Some(Pushback::After(wait)) => wait,
            None => {
                // A draw of its own for each retry, all from the request's number.
                let draw = mix(self.decision.draw ^ u64::from(self.retries + 1));
                policy.backoff.delay(self.retries + 1, draw)
            }
        };
        // The retry before this one has ended.
        self.permit = None;
        let limits = self.decision.cluster.config().limits;
        self.permit = Some(self.decision.cluster.state().try_retry(&limits)?);
        self.retries += 1;
        Some(wait)
    }

    fn attempted<'r>(&self, answer: &'r Result<Response<GuardedBody>, Error>) -> Attempted<'r> {
        let grpc = self.decision.grpc;
        match answer {
            Ok(answer) => Attempted::Response {
                status: answer.status(),
                headers: answer.headers(),
                grpc,
            },
            Err(error) => Attempted::Failed { error, grpc },
        }
    }
}
