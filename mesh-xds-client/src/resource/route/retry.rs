//! Retry policies (gRFC A44; Envoy, "Retry semantics").

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use mesh_core::config::{BackoffConfig, RetryConditions, RetryPolicy};
use mesh_proto::envoy::config::route::v3::{RetryPolicy as Message, retry_policy::RetryBackOff};

use crate::resource::{
    at::At,
    reader::{Reader, quoted},
    unsupported,
};

/// gRFC A44 and A6: five attempts.
const GRPC_MAX_RETRIES: u32 = 4;

impl Reader<'_> {
    pub(super) fn optional_retry(
        &mut self,
        at: &At<'_>,
        policy: Option<&Message>,
    ) -> Option<Arc<RetryPolicy>> {
        let policy = self.retry(at, policy?)?;
        let known = self.last_retry.take().filter(|known| **known == policy);
        self.last_retry = Some(known.unwrap_or_else(|| Arc::new(policy)));
        self.last_retry.clone()
    }

    fn retry(&mut self, at: &At<'_>, policy: &Message) -> Option<RetryPolicy> {
        let unused = unsupported::retry_policy(policy);
        self.unused(at, &unused);
        let mut on = self.retry_on(&at.field("retry_on"), &policy.retry_on);
        if !policy.retriable_request_headers.is_empty() {
            let place = at.field("retriable_request_headers");
            if self.is_grpc() {
                self.warn(&place, "is not read in dialect grpc");
            } else {
                // It restricts retries to some requests: rather none than all.
                self.warn(&place, "is not supported yet: the policy retries nothing");
                on = RetryConditions::NONE;
            }
        }
        let num_retries = self.num_retries(at, policy.num_retries);
        let backoff = match &policy.retry_back_off {
            Some(backoff) => self.backoff(&at.field("retry_back_off"), backoff),
            None => Some(BackoffConfig::default()),
        };
        let per_try_timeout = self.per_try_timeout(at, policy);
        Some(RetryPolicy {
            on,
            status_codes: self.status_codes(at, &policy.retriable_status_codes),
            num_retries: num_retries?,
            per_try_timeout,
            backoff: backoff?,
        })
    }

    /// Words that are not known are reported and otherwise ignored, by gRPC and by Envoy.
    fn retry_on(&mut self, at: &At<'_>, words: &str) -> RetryConditions {
        let mut on = RetryConditions::NONE;
        for word in words.split(',').map(str::trim).filter(|w| !w.is_empty()) {
            let known = RetryConditions::from_word(word).unwrap_or_default();
            let read = if self.is_grpc() {
                known.grpc_only()
            } else if word.bytes().any(|it| it.is_ascii_uppercase()) {
                // To Envoy words have a case, to gRPC they have none (gRFC A44).
                RetryConditions::NONE
            } else {
                known
            };
            if read.is_empty() {
                self.warn(at, format!("{} has no effect", quoted(word)));
            }
            on = on.union(read);
        }
        on
    }

    fn num_retries(&mut self, at: &At<'_>, num_retries: Option<u32>) -> Option<u32> {
        let num_retries = num_retries.unwrap_or(1);
        if !self.is_grpc() {
            return Some(num_retries);
        }
        if num_retries == 0 {
            self.error(&at.field("num_retries"), "must be at least 1");
            return None;
        }
        Some(num_retries.min(GRPC_MAX_RETRIES))
    }

    fn backoff(&mut self, at: &At<'_>, backoff: &RetryBackOff) -> Option<BackoffConfig> {
        const LEAST: Duration = Duration::from_millis(1);
        let place = at.field("base_interval");
        let base = match &backoff.base_interval {
            Some(base) => self.positive_duration(&place, base),
            None => {
                self.error(&place, "is missing");
                None
            }
        };
        let place = at.field("max_interval");
        let max = match &backoff.max_interval {
            Some(max) => Some(self.positive_duration(&place, max)?),
            None => None,
        };
        let base = base?;
        let max = match max {
            Some(max) if max < base => {
                self.error(&place, "is less than base_interval");
                return None;
            }
            Some(max) => max.max(LEAST),
            None => base.max(LEAST).saturating_mul(10),
        };
        Some(BackoffConfig {
            base: base.max(LEAST),
            max,
        })
    }

    fn per_try_timeout(&mut self, at: &At<'_>, policy: &Message) -> Option<Duration> {
        let place = at.field("per_try_timeout");
        let timeout = policy.per_try_timeout.as_ref()?;
        if self.is_grpc() {
            self.warn(&place, "is not read in dialect grpc");
            return None;
        }
        let timeout = self.duration(&place, timeout)?;
        (!timeout.is_zero()).then_some(timeout)
    }

    fn status_codes(&mut self, at: &At<'_>, codes: &[u32]) -> Vec<StatusCode> {
        let list = at.field("retriable_status_codes");
        if self.is_grpc() {
            if !codes.is_empty() {
                self.warn(&list, "is not read in dialect grpc");
            }
            return Vec::new();
        }
        let mut known = Vec::with_capacity(codes.len());
        for (i, &code) in codes.iter().enumerate() {
            let status = u16::try_from(code).ok();
            match status.and_then(|code| StatusCode::from_u16(code).ok()) {
                Some(status) => known.push(status),
                None => self.warn(&list.index(i), format!("{code} is never answered")),
            }
        }
        known
    }
}
