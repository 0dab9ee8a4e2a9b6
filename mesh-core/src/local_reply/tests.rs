use std::fmt::Write as _;

use super::*;
use crate::{
    config::{BackoffConfig, RetryConditions, RetryPolicy},
    policy::retry::{Attempted, should_retry},
};

/// The page of the manual that shows what is asserted here.
const PAGE: &str = include_str!("../manual/errors.md");

#[test]
fn the_manual_shows_every_kind_with_its_answer() {
    let mut table = String::from(
        "| kind | reads | status | flag | details | body |\n|---|---|---|---|---|---|\n",
    );
    let code = |text: &str| match text {
        "" => "–".to_owned(),
        text => format!("`{text}`"),
    };
    for &kind in ErrorKind::ALL {
        let reply = LocalReply::of(&kind.into());
        let row = format!(
            "| `{kind:?}` | {kind} | {} | {} | {} | {} |",
            reply.status.as_u16(),
            code(reply.flag),
            code(&reply.details),
            code(&reply.body),
        );
        writeln!(table, "{row}").unwrap();
    }
    assert!(PAGE.contains(&table), "manual/errors.md must say\n{table}");
}

#[test]
fn the_manual_shows_every_kind_with_its_code_and_its_retries() {
    const WORDS: [&str; 10] = [
        "5xx",
        "gateway-error",
        "reset",
        "connect-failure",
        "refused-stream",
        "cancelled",
        "deadline-exceeded",
        "internal",
        "resource-exhausted",
        "unavailable",
    ];
    let policy = |on| RetryPolicy {
        on,
        status_codes: Vec::new(),
        num_retries: 1,
        per_try_timeout: None,
        backoff: BackoffConfig::default(),
    };
    let mut table = String::from(
        "| kind | gRPC, dialect grpc | gRPC, dialect envoy | tried again by | in dialect grpc by |\n\
         |---|---|---|---|---|\n",
    );
    for &kind in ErrorKind::ALL {
        let error = Error::from(kind).sent();
        let answered = |by_code: bool| {
            let condition = |word: &&&str| {
                let on = RetryConditions::from_word(word).unwrap();
                let on = if by_code { on.grpc_only() } else { on };
                let grpc = by_code;
                let attempted = Attempted::Failed {
                    error: &error,
                    grpc,
                };
                should_retry(&policy(on), attempted)
            };
            let words: Vec<_> = WORDS.iter().filter(condition).copied().collect();
            match words.is_empty() {
                true => "nothing".to_owned(),
                false => format!("`{}`", words.join("`, `")),
            }
        };
        let [grpc, envoy] = [Dialect::Grpc, Dialect::Envoy]
            .map(|dialect| LocalReply::with_codes(&error, GrpcCodes::of(dialect)).grpc_code);
        let (words, by_code) = (answered(false), answered(true));
        writeln!(
            table,
            "| `{kind:?}` | {grpc} | {envoy} | {words} | {by_code} |"
        )
        .unwrap();
    }
    assert!(PAGE.contains(&table), "manual/errors.md must say\n{table}");
}

#[test]
fn the_manual_shows_how_an_error_reads() {
    let error = Error::from(ErrorKind::Connect)
        .with_source("connection refused")
        .at_endpoint("10.0.0.7:8080")
        .in_cluster("shop")
        .on_route("checkout")
        .for_target("shop.test");
    assert!(
        PAGE.contains(&format!("\n{error}\n")),
        "manual/errors.md must say\n{error}"
    );
}

#[test]
fn details_of_a_connect_failure_name_it() {
    let error = Error::from(ErrorKind::Connect).with_source("Connection refused\n(os error 111)");
    let reply = LocalReply::of(&error);
    assert_eq!(
        reply.details,
        "upstream_reset_before_response_started{remote_connection_failure|Connection_refused_(os_error_111)}"
    );
    let endless = Error::from(ErrorKind::Tls).with_source("x".repeat(100_000));
    assert!(LocalReply::of(&endless).details.len() < 400);
}

#[test]
fn only_the_message_knows_why_a_caller_was_refused() {
    let error = Error::new(ErrorKind::Unauthenticated, "Jwt is missing");
    let reply = LocalReply::of(&error);
    assert_eq!(reply.body, "Jwt is missing");
    assert_eq!(reply.details, "jwt_authn_access_denied{Jwt_is_missing}");
    let error = Error::new(ErrorKind::NotReady, "no cluster \"shop\" within 15 s");
    assert_eq!(
        LocalReply::of(&error).body,
        "no cluster \"shop\" within 15 s"
    );
}

#[test]
fn a_reset_is_told_from_a_closed_connection() {
    let closed = LocalReply::of(&Error::from(ErrorKind::Reset).sent());
    let reset = LocalReply::of(&Error::from(ErrorKind::Reset).sent().with_h2_reason(2));
    assert_eq!((closed.flag, reset.flag), ("UC", "UR"));
    assert!(
        closed
            .body
            .ends_with("reset reason: connection termination")
    );
    assert!(reset.body.ends_with("reset reason: remote reset"));
    let ours = LocalReply::of(&Error::from(ErrorKind::Reset).sent().with_h2_reason(1));
    assert_eq!((ours.status.as_u16(), ours.flag), (502, "UPE"));
    let refused = LocalReply::of(&Error::from(ErrorKind::Reset).with_h2_reason(7));
    assert_eq!(refused.flag, "UR");
    assert!(
        refused
            .body
            .ends_with("reset reason: remote refused stream reset")
    );
    assert!(refused.details.ends_with("{remote_refused_stream_reset}"));
}

#[test]
fn overload_is_marked_for_the_caller() {
    let marks = |kind: ErrorKind| {
        let headers = LocalReply::of(&kind.into()).headers;
        ["x-envoy-overloaded", "x-envoy-drop-overload"].map(|name| headers.contains_key(name))
    };
    assert_eq!(marks(ErrorKind::Overloaded), [true, false]);
    assert_eq!(marks(ErrorKind::Dropped), [false, true]);
    assert_eq!(marks(ErrorKind::NoEndpoint), [false, false]);
    let all = LocalReply::of(&Error::from(ErrorKind::Dropped).unconditional());
    assert!(
        all.headers
            .contains_key("x-envoy-unconditional-drop-overload")
    );
    assert_eq!(
        (all.flag, &*all.body),
        ("UDO", "unconditional drop overload")
    );
}

#[test]
fn a_missing_cluster_has_the_status_of_its_route() {
    for (status, code) in [(404, GrpcCode::UNIMPLEMENTED), (500, GrpcCode::UNKNOWN)] {
        let status = StatusCode::from_u16(status).unwrap();
        let error = Error::from(ErrorKind::NoCluster).with_status(status);
        let reply = LocalReply::of(&error);
        assert_eq!((reply.status, reply.grpc_code), (status, code));
    }
    let reply = LocalReply::of(&ErrorKind::NoCluster.into());
    assert_eq!(
        (reply.status.as_u16(), reply.grpc_code),
        (503, GrpcCode::UNAVAILABLE)
    );
}

#[test]
fn while_the_request_is_incomplete_stream_timeouts_are_the_callers_fault() {
    for &kind in ErrorKind::ALL {
        let reply = LocalReply::of(&kind.into());
        let of_stream = matches!(kind, ErrorKind::StreamDeadline | ErrorKind::StreamIdle);
        let expected = match of_stream {
            true => StatusCode::REQUEST_TIMEOUT,
            false => reply.status,
        };
        assert_eq!(reply.while_incomplete().status, expected, "{kind:?}");
    }
}

#[test]
fn after_a_retry_the_answer_says_so() {
    let of = |kind: ErrorKind| LocalReply::of(&kind.into());
    let connect = of(ErrorKind::Connect);
    assert_eq!(
        connect.clone().retried(),
        LocalReply {
            body: "upstream connect error or disconnect/reset before headers. retried and the \
                   latest reset reason: remote connection failure"
                .into(),
            ..connect.clone()
        }
    );
    assert_eq!(connect.exhausted().flag, "URX,UF");
    let flags = [
        (ErrorKind::Reset, "URX,UC"),
        (ErrorKind::Protocol, "URX,UPE"),
        (ErrorKind::AttemptTimeout, "URX,UT"),
        (ErrorKind::NoEndpoint, "UH"),
    ];
    for (kind, flag) in flags {
        assert_eq!(of(kind).exhausted().flag, flag, "{kind:?}");
    }
    let late = of(ErrorKind::AttemptTimeout).retried().exhausted();
    assert_eq!(late.body, "upstream request timeout");
}

#[test]
fn plain_answers_are_text() {
    let mut reply = LocalReply::of(&ErrorKind::NoEndpoint.into());
    reply
        .headers
        .insert("x-more", HeaderValue::from_static("1"));
    let response = reply.into_response(false);
    assert_eq!(response.status(), 503);
    assert_eq!(response.body(), "no healthy upstream");
    let headers = response.headers();
    assert_eq!(headers["content-type"], "text/plain");
    assert_eq!(headers["content-length"], "19");
    assert_eq!(headers["x-more"], "1");

    let empty = LocalReply::of(&ErrorKind::NoRoute.into()).into_response(false);
    assert_eq!((empty.status().as_u16(), empty.headers().len()), (404, 0));

    let mut json = LocalReply::new(StatusCode::FORBIDDEN, "{}");
    json.headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let response = json.into_response(false);
    assert_eq!(response.headers()["content-type"], "application/json");
}

#[test]
fn grpc_answers_are_trailers_only() {
    let mut reply = LocalReply::new(StatusCode::FORBIDDEN, "100% no\n");
    reply
        .headers
        .insert("x-more", HeaderValue::from_static("1"));
    let response = reply.into_response(true);
    assert_eq!(response.status(), 200);
    assert!(response.body().is_empty());
    let headers = response.headers();
    assert_eq!(headers["content-type"], "application/grpc");
    assert_eq!(headers["grpc-status"], "7");
    assert_eq!(headers["grpc-message"], "100%25 no%0A");
    assert_eq!(headers["x-more"], "1");
    assert!(!headers.contains_key("content-length"));

    let silent = LocalReply::of(&ErrorKind::NoRoute.into()).into_response(true);
    assert_eq!(silent.headers()["grpc-status"], "12");
    assert!(!silent.headers().contains_key("grpc-message"));
}
