//! Whether an attempt is followed by another.
//!
//! How often, how long to wait and what the budget allows are other questions; this one is only
//! whether the outcome is of a kind that the policy answers to (Envoy: "x-envoy-retry-on",
//! "x-envoy-retry-grpc-on"; gRFC A44).

use std::time::Duration;

use http::{HeaderMap, HeaderName, StatusCode};

use crate::{
    config::{Dialect, RetryConditions, RetryPolicy},
    error::{Error, ErrorKind},
    policy::grpc_status::{GrpcCode, GrpcCodes},
};

/// The header by which a rate limiter says that its refusal is not to be tried again.
static RATE_LIMITED: HeaderName = HeaderName::from_static("x-envoy-ratelimited");
/// The header or trailer by which a service says when to try again (gRFC A6).
static PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// HTTP/2's REFUSED_STREAM: the peer says that it has not touched the stream.
const REFUSED_STREAM: u32 = 7;

/// Conditions that any failure without an answer satisfies.
const ANY_RESET: RetryConditions = RetryConditions::RESET
    .union(RetryConditions::FIVE_XX)
    .union(RetryConditions::GATEWAY_ERROR);

/// How an attempt ended, as far as its head: once an answer has been passed on nothing is tried
/// again.
#[derive(Clone, Copy, Debug)]
pub enum Attempted<'a> {
    /// With an answer.
    Response {
        /// Its status.
        status: StatusCode,
        /// Its headers. A gRPC status counts only in here (an answer of trailers only), never in
        /// trailers behind a body.
        headers: &'a HeaderMap,
        /// Whether the request is of gRPC.
        grpc: bool,
    },
    /// Without an answer.
    Failed {
        /// Why.
        error: &'a Error,
        /// Whether the request is of gRPC.
        grpc: bool,
    },
}

/// Whether `policy` answers to this outcome. What this program decided itself (no route, limits,
/// drops, deadlines, refusals, cancellation) is never tried again.
#[must_use]
pub fn should_retry(policy: &RetryPolicy, attempted: Attempted<'_>) -> bool {
    match attempted {
        Attempted::Response {
            status,
            headers,
            grpc,
        } => answers_to_response(policy, status, headers, grpc),
        Attempted::Failed { error, grpc } => answers_to_failure(policy.on, error, grpc),
    }
}

fn answers_to_response(
    policy: &RetryPolicy,
    status: StatusCode,
    headers: &HeaderMap,
    grpc: bool,
) -> bool {
    let limited = || headers.contains_key(&RATE_LIMITED);
    if policy.on.intersects(RetryConditions::RATE_LIMITED) && limited() {
        return true;
    }
    // Asked last, since it is asked of every answer that is to be retried and of no other.
    by_code(policy, status, headers, grpc) && !limited()
}

fn by_code(policy: &RetryPolicy, status: StatusCode, headers: &HeaderMap, grpc: bool) -> bool {
    let on = policy.on;
    let by_status = [
        (RetryConditions::FIVE_XX, status.is_server_error()),
        (
            RetryConditions::GATEWAY_ERROR,
            matches!(status.as_u16(), 502..=504),
        ),
        (RetryConditions::RETRIABLE_4XX, status.as_u16() == 409),
        (
            RetryConditions::STATUS_CODES,
            policy.status_codes.contains(&status),
        ),
    ];
    if by_status
        .iter()
        .any(|&(condition, holds)| holds && on.intersects(condition))
    {
        return true;
    }
    if !on.intersects(RetryConditions::CODES) {
        return false;
    }
    let by_http = || {
        let counts = grpc && on.intersects(RetryConditions::FAILURES_BY_CODE);
        (counts && status != StatusCode::OK).then(|| GrpcCode::of_http(status))
    };
    GrpcCode::read(headers)
        .or_else(by_http)
        .is_some_and(|code| on.intersects(condition_of(code)))
}

fn answers_to_failure(on: RetryConditions, error: &Error, grpc: bool) -> bool {
    let conditions = match error.kind() {
        ErrorKind::Connect | ErrorKind::ConnectTimeout | ErrorKind::Tls => {
            ANY_RESET.union(RetryConditions::CONNECT_FAILURE)
        }
        ErrorKind::Reset if error.h2_reason() == Some(REFUSED_STREAM) => {
            ANY_RESET.union(RetryConditions::REFUSED_STREAM)
        }
        ErrorKind::Reset | ErrorKind::Protocol | ErrorKind::AttemptTimeout => ANY_RESET,
        // Envoy answers such a request itself, without asking the policy; in gRPC the attempt has
        // failed with UNAVAILABLE.
        ErrorKind::NoEndpoint => RetryConditions::NONE,
        _ => return false,
    };
    let before_request = if error.was_sent() || error.kind() == ErrorKind::NoEndpoint {
        RetryConditions::NONE
    } else {
        RetryConditions::RESET_BEFORE_REQUEST
    };
    let by_code = if grpc && on.intersects(RetryConditions::FAILURES_BY_CODE) {
        condition_of(GrpcCodes::of(Dialect::Grpc).of_error(error))
    } else {
        RetryConditions::NONE
    };
    on.intersects(conditions.union(before_request).union(by_code))
}

/// The condition that answers to a code; none for codes that cannot be retried.
const fn condition_of(code: GrpcCode) -> RetryConditions {
    match code {
        GrpcCode::CANCELLED => RetryConditions::GRPC_CANCELLED,
        GrpcCode::DEADLINE_EXCEEDED => RetryConditions::GRPC_DEADLINE_EXCEEDED,
        GrpcCode::INTERNAL => RetryConditions::GRPC_INTERNAL,
        GrpcCode::RESOURCE_EXHAUSTED => RetryConditions::GRPC_RESOURCE_EXHAUSTED,
        GrpcCode::UNAVAILABLE => RetryConditions::GRPC_UNAVAILABLE,
        _ => RetryConditions::NONE,
    }
}

/// What a service says about trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushback {
    /// Not before this long, which replaces the policy's own wait; the exponent starts anew.
    After(Duration),
    /// Not at all.
    Stop,
}

/// The `grpc-retry-pushback-ms` of an answer's headers or trailers: a 32-bit number of
/// milliseconds. Negative, unreadable or given twice means stop (gRFC A6); `None` without the header.
#[must_use]
pub fn pushback(headers: &HeaderMap) -> Option<Pushback> {
    let mut lines = headers.get_all(&PUSHBACK).iter();
    let value = lines.next()?;
    let millis = value
        .to_str()
        .ok()
        .filter(|_| lines.next().is_none())
        .and_then(|text| text.parse::<i32>().ok())
        .and_then(|millis| u64::try_from(millis).ok());
    Some(millis.map_or(Pushback::Stop, |millis| {
        Pushback::After(Duration::from_millis(millis))
    }))
}

#[cfg(test)]
mod tests;
