//! When and how often a request is tried again.

use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

/// A retry policy as a route carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RetryPolicy {
    /// What is tried again.
    pub on: RetryConditions,
    /// The codes of `retriable-status-codes`.
    #[serde(serialize_with = "as_numbers")]
    pub status_codes: Vec<StatusCode>,
    /// How many attempts may follow the first. Dialect grpc cuts it to 4 (gRFC A44).
    pub num_retries: u32,
    /// How long one attempt may take, from the end of the request. `None`: no limit of its own.
    pub per_try_timeout: Option<Duration>,
    /// The wait before each retry.
    pub backoff: BackoffConfig,
}

/// An exponential wait: before retry n it is uniform over `[0, min(base * 2^(n-1), max))`
/// (Envoy, observed; gRFC A6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BackoffConfig {
    /// Upper edge of the first wait; at least 1 ms. Default 25 ms.
    pub base: Duration,
    /// Upper edge of every wait; at least `base`. Default ten times `base`.
    pub max: Duration,
}

impl Default for BackoffConfig {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(25),
            max: Duration::from_millis(250),
        }
    }
}

/// What a retry policy may answer to: a set of Envoy's `retry_on` words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct RetryConditions(u16);

impl RetryConditions {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// `5xx`: any answer of 500 to 599, and any reset.
    pub const FIVE_XX: Self = Self(1);
    /// `gateway-error`: 502, 503, 504, and any reset.
    pub const GATEWAY_ERROR: Self = Self(1 << 1);
    /// `reset`: no answer at all.
    pub const RESET: Self = Self(1 << 2);
    /// `connect-failure`: no connection.
    pub const CONNECT_FAILURE: Self = Self(1 << 3);
    /// `refused-stream`: HTTP/2's REFUSED_STREAM.
    pub const REFUSED_STREAM: Self = Self(1 << 4);
    /// `retriable-status-codes`: one of the policy's own codes.
    pub const STATUS_CODES: Self = Self(1 << 5);
    /// `retriable-4xx`: 409.
    pub const RETRIABLE_4XX: Self = Self(1 << 6);
    /// `reset-before-request`: nothing was sent.
    pub const RESET_BEFORE_REQUEST: Self = Self(1 << 7);
    /// gRPC status CANCELLED.
    pub const GRPC_CANCELLED: Self = Self(1 << 8);
    /// gRPC status DEADLINE_EXCEEDED.
    pub const GRPC_DEADLINE_EXCEEDED: Self = Self(1 << 9);
    /// gRPC status INTERNAL.
    pub const GRPC_INTERNAL: Self = Self(1 << 10);
    /// gRPC status RESOURCE_EXHAUSTED.
    pub const GRPC_RESOURCE_EXHAUSTED: Self = Self(1 << 11);
    /// gRPC status UNAVAILABLE.
    pub const GRPC_UNAVAILABLE: Self = Self(1 << 12);

    /// All that look at a gRPC status.
    pub const CODES: Self = Self(0x1f << 8);
    /// Not a word but a rule (gRFC A44, dialect grpc): an attempt of a gRPC call that ended without
    /// a gRPC status counts by the code that its failure maps to. Without it a gRPC condition looks
    /// at received statuses only, as in Envoy.
    pub const FAILURES_BY_CODE: Self = Self(1 << 13);

    /// `envoy-ratelimited`: the answer has `x-envoy-ratelimited`, which no other condition answers to.
    pub const RATE_LIMITED: Self = Self(1 << 14);

    /// The condition of one `retry_on` word, in any case; `None` for a word not known here.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        const WORDS: [(&str, RetryConditions); 14] = [
            ("5xx", RetryConditions::FIVE_XX),
            ("gateway-error", RetryConditions::GATEWAY_ERROR),
            ("reset", RetryConditions::RESET),
            ("connect-failure", RetryConditions::CONNECT_FAILURE),
            ("refused-stream", RetryConditions::REFUSED_STREAM),
            ("retriable-status-codes", RetryConditions::STATUS_CODES),
            ("retriable-4xx", RetryConditions::RETRIABLE_4XX),
            (
                "reset-before-request",
                RetryConditions::RESET_BEFORE_REQUEST,
            ),
            ("cancelled", RetryConditions::GRPC_CANCELLED),
            ("deadline-exceeded", RetryConditions::GRPC_DEADLINE_EXCEEDED),
            ("internal", RetryConditions::GRPC_INTERNAL),
            (
                "resource-exhausted",
                RetryConditions::GRPC_RESOURCE_EXHAUSTED,
            ),
            ("unavailable", RetryConditions::GRPC_UNAVAILABLE),
            ("envoy-ratelimited", RetryConditions::RATE_LIMITED),
        ];
        WORDS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(word))
            .map(|&(_, set)| set)
    }

    /// This set as dialect grpc reads it: only the five gRPC codes and, if any is there, with
    /// [`Self::FAILURES_BY_CODE`].
    #[must_use]
    pub const fn grpc_only(self) -> Self {
        match self.0 & Self::CODES.0 {
            0 => Self::NONE,
            codes => Self(codes).union(Self::FAILURES_BY_CODE),
        }
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any condition of `other` is in this set.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the set has nothing in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

fn as_numbers<S: serde::Serializer>(codes: &[StatusCode], s: S) -> Result<S::Ok, S::Error> {
    s.collect_seq(codes.iter().map(StatusCode::as_u16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case_and_unknown_ones_are_none() {
        assert_eq!(
            RetryConditions::from_word("UnAvailable"),
            Some(RetryConditions::GRPC_UNAVAILABLE)
        );
        assert_eq!(RetryConditions::from_word("503"), None);
        let both = RetryConditions::FIVE_XX.union(RetryConditions::GRPC_INTERNAL);
        assert_eq!(
            both.grpc_only(),
            RetryConditions::GRPC_INTERNAL.union(RetryConditions::FAILURES_BY_CODE)
        );
        assert!(RetryConditions::FIVE_XX.grpc_only().is_empty());
    }
}
