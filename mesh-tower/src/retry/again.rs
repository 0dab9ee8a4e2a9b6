//! Whether a request is sent again, and after what wait.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use mesh_core::{
    Error, ErrorKind,
    config::{RetryConditions, RetryPolicy},
    entropy::mix,
    error::GaveUp,
    policy::retry::{Attempted, Pushback, pushback, should_retry},
};

use super::TRANSPARENT_RETRIES;

/// How many attempts went before, for the service to see.
static PREVIOUS_ATTEMPTS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");

/// The retries of one request so far.
#[derive(Debug)]
pub(crate) struct Again<P> {
    policy: Option<Arc<RetryPolicy>>,
    grpc: bool,
    draw: u64,
    retries: u32,
    transparent: u32,
    // Waits by the policy since the first attempt or since the service last said how long to wait.
    waits: u32,
    // Held while a retry is under way: it counts against a limit.
    permit: Option<P>,
    // Why a retry that was due is not made.
    gave_up: Option<GaveUp>,
}

impl<P> Again<P> {
    /// For a request with the random number `draw`. Without a policy only what never left is sent
    /// again.
    pub(crate) const fn new(policy: Option<Arc<RetryPolicy>>, grpc: bool, draw: u64) -> Self {
        Self {
            policy,
            grpc,
            draw,
            retries: 0,
            transparent: 0,
            waits: 0,
            permit: None,
            gave_up: None,
        }
    }

    pub(super) const fn has_policy(&self) -> bool {
        self.policy.is_some()
    }

    /// Judges an answer: how long to wait before the request is sent again, if it is. A retry by
    /// policy needs a `permit`.
    pub(super) fn after<B>(
        &mut self,
        answer: &Result<Response<B>, Error>,
        permit: impl FnOnce() -> Option<P>,
    ) -> Option<Duration> {
        if let Err(error) = answer
            && error.kind() == ErrorKind::Reset
            && !error.was_sent()
            && self.transparent < TRANSPARENT_RETRIES
        {
            self.transparent += 1;
            return Some(Duration::ZERO);
        }
        let policy = self.policy.as_ref()?;
        if !should_retry(policy, self.attempted(answer)) {
            return None;
        }
        if self.retries >= policy.num_retries {
            self.gave_up = Some(GaveUp::Exhausted);
            return None;
        }
        let asked = answer.as_ref().ok().map(Response::headers);
        let wait = self.wait(&Arc::clone(policy), asked)?;
        // The retry before this one has ended.
        self.permit = None;
        self.permit = permit();
        if self.permit.is_none() {
            self.gave_up = Some(GaveUp::Overflow);
            return None;
        }
        self.retries += 1;
        Some(wait)
    }

    /// Why a retry that was due is not made.
    pub(super) const fn gave_up(&self) -> Option<GaveUp> {
        self.gave_up
    }

    /// The answer that stands, or the error, which names its attempt; with why there is no other, where
    /// one was due.
    pub(super) fn last<B>(
        &self,
        answer: Result<Response<B>, Error>,
        attempt: u32,
        lost: Option<GaveUp>,
    ) -> Result<Response<B>, Error> {
        match answer {
            Ok(mut answer) => {
                if let Some(lost) = lost {
                    answer.extensions_mut().insert(lost);
                }
                Ok(answer)
            }
            Err(mut error) => {
                error = error.in_attempt(attempt);
                if self.retries > 0 {
                    error = error.retried();
                }
                Err(match lost {
                    Some(lost) => error.gave_up(lost),
                    None => error,
                })
            }
        }
    }

    /// Numbers an attempt: dialect grpc tells the service how many went before it, those that never
    /// left apart (gRFC A6). Envoy has a header of its own for that, which is left to header policy.
    pub(super) fn number(&self, headers: &mut HeaderMap) {
        let numbered =
            |policy: &RetryPolicy| policy.on.intersects(RetryConditions::FAILURES_BY_CODE);
        if self.retries > 0 && self.grpc && self.policy.as_deref().is_some_and(numbered) {
            headers.insert(&PREVIOUS_ATTEMPTS, HeaderValue::from(self.retries));
        }
    }

    /// The wait that the service asks for, after which the policy's own starts anew (gRFC A6), or
    /// the policy's next; none if the service asks for no retry.
    fn wait(&mut self, policy: &RetryPolicy, asked: Option<&HeaderMap>) -> Option<Duration> {
        match asked.and_then(pushback) {
            Some(Pushback::Stop) => None,
            Some(Pushback::After(wait)) => {
                self.waits = 0;
                Some(wait)
            }
            None => {
                self.waits += 1;
                // A draw of its own for each retry, all from the request's number.
                let draw = mix(self.draw ^ u64::from(self.retries + 1));
                Some(policy.backoff.delay(self.waits, draw))
            }
        }
    }

    fn attempted<'r, B>(&self, answer: &'r Result<Response<B>, Error>) -> Attempted<'r> {
        let grpc = self.grpc;
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

#[cfg(test)]
mod tests {
    use mesh_core::config::{BackoffConfig, RetryConditions};

    use super::*;

    fn policy(num_retries: u32) -> RetryPolicy {
        RetryPolicy {
            on: RetryConditions::FIVE_XX,
            status_codes: Vec::new(),
            num_retries,
            per_try_timeout: None,
            backoff: BackoffConfig {
                base: Duration::from_secs(1),
                max: Duration::from_secs(100),
            },
        }
    }

    fn answer(pushback: Option<&str>) -> Result<Response<()>, Error> {
        let mut answer = Response::builder().status(503);
        if let Some(pushback) = pushback {
            answer = answer.header("grpc-retry-pushback-ms", pushback);
        }
        Ok(answer.body(()).unwrap())
    }

    #[test]
    fn each_wait_has_its_own_draw_and_a_pushback_starts_the_policys_waits_anew() {
        let policy = policy(10);
        let mut again = Again::new(Some(Arc::new(policy.clone())), false, 42);
        let mut after = |pushback| again.after(&answer(pushback), || Some(()));
        let due = |wait, retry: u64| Some(policy.backoff.delay(wait, mix(42 ^ retry)));
        assert_eq!(after(None), due(1, 1));
        assert_eq!(after(None), due(2, 2));
        assert_eq!(after(Some("1500")), Some(Duration::from_millis(1_500)));
        assert_eq!(after(None), due(1, 4));
        assert_eq!(after(None), due(2, 5));
        assert_eq!(after(Some("-1")), None);
    }

    #[test]
    fn retries_are_counted_and_need_a_permit() {
        let policy = policy(2);
        let mut again = Again::new(Some(Arc::new(policy)), false, 0);
        assert!(again.after(&answer(None), || Some(())).is_some());
        assert_eq!(again.after(&answer(None), || None), None);
        assert!(again.after(&answer(Some("0")), || Some(())).is_some());
        assert_eq!(again.after(&answer(None), || Some(())), None);
    }

    #[test]
    fn dialect_grpc_numbers_the_attempts_of_its_calls() {
        let numbers = |on: RetryConditions, grpc: bool| {
            let policy = RetryPolicy {
                on: on.union(RetryConditions::FIVE_XX),
                ..policy(2)
            };
            let mut again = Again::new(Some(Arc::new(policy)), grpc, 0);
            let mut seen = Vec::new();
            loop {
                let mut headers = HeaderMap::new();
                again.number(&mut headers);
                let number = headers.remove("grpc-previous-rpc-attempts");
                seen.push(number.map(|number| number.to_str().unwrap().to_owned()));
                if again.after(&answer(None), || Some(())).is_none() {
                    return seen;
                }
            }
        };
        let by_code = RetryConditions::GRPC_UNAVAILABLE.grpc_only();
        let numbered = [None, Some("1".to_owned()), Some("2".to_owned())];
        assert_eq!(numbers(by_code, true), numbered);
        assert_eq!(numbers(by_code, false), [None, None, None]);
        let envoy = RetryConditions::GRPC_UNAVAILABLE;
        assert_eq!(numbers(envoy, true), [None, None, None]);
    }

    #[test]
    fn what_never_left_is_sent_again_without_a_policy_so_many_times() {
        let refused = || Err::<Response<()>, _>(Error::new(ErrorKind::Reset, "refused"));
        let mut again = Again::<()>::new(None, false, 0);
        for _ in 0..TRANSPARENT_RETRIES {
            assert_eq!(again.after(&refused(), || None), Some(Duration::ZERO));
        }
        assert_eq!(again.after(&refused(), || None), None);
        let mut again = Again::<()>::new(None, false, 0);
        assert_eq!(again.after(&refused().map_err(Error::sent), || None), None);
    }
}
