//! Texts of HTTP, gRPC and targets.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Uri};
use mesh_core::{
    config::Pattern,
    policy::{
        deadline::{GRPC_TIMEOUT, format_grpc_timeout, parse_grpc_timeout},
        grpc_status::{GrpcCode, decode_message, encode_message},
        head::RequestHead,
        retry::pushback,
    },
    target::TargetUri,
};
use mesh_telemetry::TraceContext;
use mesh_xds_client::protocol::canonical;

use crate::{draw::Draw, engine::run};

#[test]
fn grpc_timeout() {
    run("text::grpc_timeout", 20_000, |input| {
        let Ok(value) = HeaderValue::from_bytes(input) else {
            return;
        };
        let headers = HeaderMap::from_iter([(GRPC_TIMEOUT.clone(), value)]);
        let Some(timeout) = parse_grpc_timeout(&headers) else {
            return;
        };
        assert!(input.len() <= 9);
        round_trip(timeout);
    });
}

#[test]
fn grpc_timeout_out() {
    run("text::grpc_timeout_out", 20_000, |input| {
        let mut draw = Draw::new(input);
        let seconds = Duration::from_secs(draw.number() >> 1);
        round_trip(seconds.saturating_add(Duration::from_nanos(draw.number())));
    });
}

/// What is written is not less, and not much more.
fn round_trip(timeout: Duration) {
    let longest = Duration::from_secs(99_999_999 * 3_600);
    let value = format_grpc_timeout(timeout);
    assert!(value.len() <= 9, "{value:?}");
    let headers = HeaderMap::from_iter([(GRPC_TIMEOUT.clone(), value.clone())]);
    let read = parse_grpc_timeout(&headers).unwrap();
    assert!(read >= timeout.min(longest), "{timeout:?}: {value:?}");
    let more = timeout / 100 + Duration::from_nanos(1);
    assert!(
        read <= timeout.saturating_add(more),
        "{timeout:?}: {value:?}"
    );
}

#[test]
fn grpc_message() {
    run("text::grpc_message", 20_000, |input| {
        let text = String::from_utf8_lossy(input);
        let encoded = encode_message(&text);
        assert!(
            encoded
                .as_bytes()
                .iter()
                .all(|byte| (b' '..=b'~').contains(byte))
        );
        assert_eq!(decode_message(&encoded), text);
        if let Ok(value) = HeaderValue::from_bytes(input) {
            assert!(decode_message(&value).len() <= 3 * input.len());
        }
    });
}

#[test]
fn grpc_headers() {
    run("text::grpc_headers", 20_000, |input| {
        let mut draw = Draw::new(input);
        let mut headers = HeaderMap::new();
        for _ in 0..draw.below(3) {
            let name = *draw.pick(&["grpc-status", "grpc-retry-pushback-ms"]);
            if let Ok(value) = HeaderValue::from_str(&draw.word()) {
                headers.append(name, value);
            }
        }
        let status = GrpcCode::read(&headers);
        assert!(status.is_none_or(|code| code.number() <= 16));
        let said = headers.contains_key("grpc-retry-pushback-ms");
        assert_eq!(
            pushback(&headers).is_some(),
            said,
            "what is unreadable means stop"
        );
    });
}

#[test]
fn target() {
    run("text::target", 40_000, |input| {
        let mut draw = Draw::new(input);
        let scheme = *draw.pick(&["xds:", "dns:", "unix:", "ipv4:", "ipv6:", "", "x:"]);
        let slashes = *draw.pick(&["", "//", "///", "/"]);
        let text = match draw.bool() {
            true => format!("{scheme}{slashes}{}{}", draw.word(), draw.word()),
            false => format!("{scheme}{slashes}{}", String::from_utf8_lossy(draw.rest())),
        };
        match TargetUri::parse(&text) {
            Ok(target) => {
                let told = target.to_string();
                assert_eq!(
                    TargetUri::parse(&told).as_ref(),
                    Ok(&target),
                    "{text:?} as {told:?}"
                );
                assert_eq!(TargetUri::parse(&told).unwrap().to_string(), told);
                assert_ne!(target.authority(), "", "{text:?}");
            }
            Err(error) => {
                assert!(!error.to_string().contains(char::is_control), "{error}");
            }
        }
    });
}

#[test]
fn traceparent() {
    run("text::traceparent", 20_000, |input| {
        const DIGITS: &[u8] = b"0123456789abcdefA-g";
        let mut draw = Draw::new(input);
        let mut text = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x".to_vec();
        text.truncate(text.len() - draw.below(4));
        for _ in 0..draw.below(6) {
            let at = draw.below(text.len());
            text[at] = *draw.pick(DIGITS);
        }
        if draw.one_in(4) {
            text.truncate(draw.below(text.len()));
            text.extend(draw.rest());
        }
        let Some(context) = TraceContext::parse(&text) else {
            return;
        };
        let told = context.to_string();
        assert_eq!(told.len(), 55);
        assert_eq!(TraceContext::parse(told.as_bytes()), Some(context));
        assert!(told.contains(&context.trace_id()) && told.contains(&context.span_id()));
    });
}

#[test]
fn head() {
    run("text::head", 20_000, |input| {
        let Ok(uri) = Uri::try_from(input) else {
            return;
        };
        let headers = HeaderMap::new();
        let head = RequestHead::new(&Method::GET, &uri, &headers);
        assert!(!head.path().contains(['?', '#']), "{uri}");
        assert_eq!(head.path().is_empty(), head.path_and_query.is_empty());
        assert_eq!(head.query().unwrap_or(""), uri.query().unwrap_or(""));
    });
}

#[test]
fn name() {
    run("text::name", 20_000, |input| {
        let text = String::from_utf8_lossy(input);
        for text in [text.to_string(), format!("xdstp:{text}")] {
            let once = canonical(&text).into_owned();
            assert_eq!(canonical(&once), once, "{text:?}");
            assert_eq!(once.len(), text.len());
        }
    });
}

#[test]
fn pattern() {
    run("text::pattern", 1_000, |input| {
        let mut draw = Draw::new(input);
        let source = match draw.bool() {
            true => format!("{}{}{}", draw.word(), draw.word(), draw.word()),
            false => String::from_utf8_lossy(draw.bytes(40)).into_owned(),
        };
        match Pattern::new(&source) {
            Ok(pattern) => {
                let _ = pattern.is_match(draw.word());
                assert_eq!(pattern.source(), source);
            }
            Err(error) => {
                let text = error.to_string();
                assert!(
                    !text.contains(char::is_control),
                    "more than a line: {text:?}"
                );
            }
        }
    });
}
