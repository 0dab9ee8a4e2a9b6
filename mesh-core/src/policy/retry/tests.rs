use super::*;
use crate::{config::BackoffConfig, policy::grpc_status::GRPC_STATUS};

fn policy(words: &str) -> RetryPolicy {
    let on = words
        .split_whitespace()
        .map(|word| RetryConditions::from_word(word).unwrap())
        .fold(RetryConditions::NONE, RetryConditions::union);
    RetryPolicy {
        on,
        status_codes: vec![StatusCode::TOO_MANY_REQUESTS, StatusCode::OK],
        num_retries: 1,
        per_try_timeout: None,
        backoff: BackoffConfig::default(),
    }
}

/// The same words as dialect grpc reads them.
fn grpc_policy(words: &str) -> RetryPolicy {
    let policy = policy(words);
    RetryPolicy {
        on: policy.on.grpc_only(),
        ..policy
    }
}

const WORDS: [&str; 13] = [
    "5xx",
    "gateway-error",
    "reset",
    "connect-failure",
    "refused-stream",
    "retriable-status-codes",
    "retriable-4xx",
    "reset-before-request",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
];

/// The words that alone make a policy answer to this outcome.
fn answering(attempted: Attempted<'_>) -> Vec<&'static str> {
    let mut words = WORDS.to_vec();
    words.retain(|word| should_retry(&policy(word), attempted));
    words
}

#[test]
fn statuses_are_answered_to_by_their_words() {
    let cases: [(u16, &[&str]); 13] = [
        (200, &["retriable-status-codes"]),
        (301, &[]),
        (400, &[]),
        (404, &[]),
        (408, &[]),
        (409, &["retriable-4xx"]),
        (429, &["retriable-status-codes"]),
        (500, &["5xx"]),
        (501, &["5xx"]),
        (502, &["5xx", "gateway-error"]),
        (503, &["5xx", "gateway-error"]),
        (504, &["5xx", "gateway-error"]),
        (599, &["5xx"]),
    ];
    for (status, words) in cases {
        for grpc in [false, true] {
            let attempted = Attempted::Response {
                status: StatusCode::from_u16(status).unwrap(),
                headers: &HeaderMap::new(),
                grpc,
            };
            assert_eq!(answering(attempted), words, "{status}");
        }
    }
}

#[test]
fn grpc_statuses_in_headers_are_answered_to_by_their_words() {
    let cases: [(&str, &[&str]); 8] = [
        ("0", &[]),
        ("1", &["cancelled"]),
        ("2", &[]),
        ("4", &["deadline-exceeded"]),
        ("8", &["resource-exhausted"]),
        ("13", &["internal"]),
        ("14", &["unavailable"]),
        ("nonsense", &[]),
    ];
    for (code, words) in cases {
        let mut headers = HeaderMap::new();
        headers.insert(&GRPC_STATUS, code.parse().unwrap());
        let attempted = Attempted::Response {
            status: StatusCode::ACCEPTED,
            headers: &headers,
            grpc: true,
        };
        assert_eq!(answering(attempted), words, "{code}");
    }
}

#[test]
fn a_rate_limiters_refusal_stands() {
    let mut headers = HeaderMap::new();
    headers.insert("x-envoy-ratelimited", "true".parse().unwrap());
    headers.insert(&GRPC_STATUS, "14".parse().unwrap());
    let attempted = Attempted::Response {
        status: StatusCode::SERVICE_UNAVAILABLE,
        headers: &headers,
        grpc: true,
    };
    assert!(answering(attempted).is_empty());
    // But for the word that asks for nothing else.
    assert!(should_retry(&policy("envoy-ratelimited"), attempted));
    headers.remove("x-envoy-ratelimited");
    headers.insert("x-envoy-overloaded", "true".parse().unwrap());
    let attempted = Attempted::Response {
        status: StatusCode::SERVICE_UNAVAILABLE,
        headers: &headers,
        grpc: true,
    };
    assert!(!should_retry(&policy("envoy-ratelimited"), attempted));
    assert_eq!(
        answering(attempted),
        ["5xx", "gateway-error", "unavailable"]
    );
}

#[test]
fn failures_are_answered_to_by_their_words() {
    const RESET: [&str; 3] = ["5xx", "gateway-error", "reset"];
    let also = |more: &[&'static str]| {
        let mut words = RESET.to_vec();
        words.extend(more);
        words
    };
    let error = |kind: ErrorKind| Error::from(kind);
    let cases = [
        (
            error(ErrorKind::Connect),
            also(&["connect-failure", "reset-before-request"]),
        ),
        (
            error(ErrorKind::ConnectTimeout),
            also(&["connect-failure", "reset-before-request"]),
        ),
        (
            error(ErrorKind::Tls),
            also(&["connect-failure", "reset-before-request"]),
        ),
        (error(ErrorKind::Reset), also(&["reset-before-request"])),
        (error(ErrorKind::Reset).sent(), also(&[])),
        (
            error(ErrorKind::Reset).sent().with_h2_reason(7),
            also(&["refused-stream"]),
        ),
        (error(ErrorKind::Reset).sent().with_h2_reason(8), also(&[])),
        (error(ErrorKind::Protocol).sent(), also(&[])),
        (error(ErrorKind::AttemptTimeout).sent(), also(&[])),
        (
            error(ErrorKind::AttemptTimeout),
            also(&["reset-before-request"]),
        ),
        (error(ErrorKind::NoEndpoint), Vec::new()),
    ];
    for (error, words) in cases {
        for grpc in [false, true] {
            let attempted = Attempted::Failed {
                error: &error,
                grpc,
            };
            assert_eq!(
                answering(attempted),
                words,
                "{error:?} {}",
                error.was_sent()
            );
        }
    }
}

#[test]
fn decisions_of_this_program_are_never_tried_again() {
    let everything = WORDS.join(" ");
    let upstream = [
        ErrorKind::NoEndpoint,
        ErrorKind::Connect,
        ErrorKind::ConnectTimeout,
        ErrorKind::Tls,
        ErrorKind::Reset,
        ErrorKind::Protocol,
        ErrorKind::AttemptTimeout,
    ];
    for kind in ErrorKind::ALL
        .iter()
        .filter(|kind| !upstream.contains(kind))
    {
        for policy in [policy(&everything), grpc_policy(&everything)] {
            for grpc in [false, true] {
                let error = &Error::from(*kind);
                let attempted = Attempted::Failed { error, grpc };
                assert!(!should_retry(&policy, attempted), "{kind:?}");
            }
        }
    }
}

#[test]
fn in_grpc_a_failed_attempt_counts_by_its_code() {
    let reset = |reason| Error::from(ErrorKind::Reset).sent().with_h2_reason(reason);
    let cases = [
        (Error::from(ErrorKind::NoEndpoint), "unavailable"),
        (Error::from(ErrorKind::Connect), "unavailable"),
        (Error::from(ErrorKind::Reset).sent(), "unavailable"),
        (reset(7), "unavailable"),
        (reset(2), "internal"),
        (reset(8), "cancelled"),
        (reset(11), "resource-exhausted"),
    ];
    for (error, word) in &cases {
        for other in &WORDS[8..] {
            let attempted = Attempted::Failed { error, grpc: true };
            let retried = should_retry(&grpc_policy(other), attempted);
            assert_eq!(retried, other == word, "{error:?} by {other}");
            let plain = Attempted::Failed { error, grpc: false };
            assert!(!should_retry(&grpc_policy(other), plain), "{error:?}");
            assert!(!should_retry(&policy(other), attempted), "{error:?}");
        }
    }
}

#[test]
fn in_grpc_an_http_error_counts_by_its_code() {
    let headers = HeaderMap::new();
    let response = |status: u16, grpc| Attempted::Response {
        status: StatusCode::from_u16(status).unwrap(),
        headers: &headers,
        grpc,
    };
    let unavailable = grpc_policy("unavailable");
    assert!(should_retry(&unavailable, response(503, true)));
    assert!(!should_retry(&unavailable, response(503, false)));
    assert!(!should_retry(&unavailable, response(500, true)));
    assert!(!should_retry(&unavailable, response(200, true)));
    assert!(should_retry(&grpc_policy("internal"), response(400, true)));
    assert!(!should_retry(&policy("unavailable"), response(503, true)));
}

#[test]
fn a_policy_without_conditions_answers_to_nothing() {
    let nothing = policy("");
    let error = &Error::from(ErrorKind::Connect);
    assert!(!should_retry(
        &nothing,
        Attempted::Failed { error, grpc: true }
    ));
    // Words that dialect grpc does not know leave nothing either.
    let nothing = grpc_policy("5xx reset connect-failure");
    assert!(!should_retry(
        &nothing,
        Attempted::Failed { error, grpc: true }
    ));
}

#[test]
fn pushback_is_a_wait_or_a_stop() {
    let after = |millis| Some(Pushback::After(Duration::from_millis(millis)));
    let cases: [(&[&str], Option<Pushback>); 9] = [
        (&[], None),
        (&["0"], after(0)),
        (&["1500"], after(1_500)),
        (&["2147483647"], after(2_147_483_647)),
        (&["2147483648"], Some(Pushback::Stop)),
        (&["-1"], Some(Pushback::Stop)),
        (&[""], Some(Pushback::Stop)),
        (&["1.5"], Some(Pushback::Stop)),
        (&["10", "10"], Some(Pushback::Stop)),
    ];
    for (lines, expected) in cases {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&PUSHBACK, line.parse().unwrap());
        }
        assert_eq!(pushback(&headers), expected, "{lines:?}");
    }
}
