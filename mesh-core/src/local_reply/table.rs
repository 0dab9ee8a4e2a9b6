//! The table: status, body, flag and details of each kind of error.

use std::{borrow::Cow, error::Error as StdError};

use http::StatusCode;

use crate::error::{Error, ErrorKind};

/// One row of the table.
pub(super) struct Row {
    pub(super) status: StatusCode,
    pub(super) body: &'static str,
    pub(super) flag: &'static str,
    pub(super) details: &'static str,
}

/// HTTP/2's PROTOCOL_ERROR.
const PROTOCOL_ERROR: u32 = 1;
/// HTTP/2's REFUSED_STREAM.
const REFUSED_STREAM: u32 = 7;

/// The longest transport failure that is quoted in details.
const LONGEST_REASON: usize = 256;

impl Row {
    const fn new(status: StatusCode, flag: &'static str, details: &'static str) -> Self {
        Self {
            status,
            body: "",
            flag,
            details,
        }
    }

    const fn saying(self, body: &'static str) -> Self {
        Self { body, ..self }
    }
}

/// The body of a reset with this reason; the text in front of it is [`super::RESET`].
macro_rules! reset {
    ($reason:literal) => {
        concat!(
            "upstream connect error or disconnect/reset before headers. reset reason: ",
            $reason
        )
    };
}

/// Details of a reset with this reason.
macro_rules! before_response {
    ($reason:literal) => {
        concat!("upstream_reset_before_response_started{", $reason, "}")
    };
}

pub(super) fn row(error: &Error) -> Row {
    use StatusCode as S;
    const UNAVAILABLE: StatusCode = S::SERVICE_UNAVAILABLE;
    match error.kind() {
        ErrorKind::NoRoute => Row::new(S::NOT_FOUND, "NR", "route_not_found"),
        ErrorKind::NoCluster => Row::new(UNAVAILABLE, "NC", "cluster_not_found"),
        ErrorKind::NotReady => Row::new(UNAVAILABLE, "NR", "route_configuration_not_found"),
        ErrorKind::NoEndpoint => {
            Row::new(UNAVAILABLE, "UH", "no_healthy_upstream").saying("no healthy upstream")
        }
        ErrorKind::Overloaded => {
            Row::new(UNAVAILABLE, "UO", before_response!("overflow")).saying(reset!("overflow"))
        }
        ErrorKind::Dropped if error.is_unconditional() => {
            Row::new(UNAVAILABLE, "UDO", "unconditional_drop_overload")
                .saying("unconditional drop overload")
        }
        ErrorKind::Dropped => Row::new(UNAVAILABLE, "DO", "drop_overload").saying("drop overload"),
        ErrorKind::RateLimited => {
            Row::new(S::TOO_MANY_REQUESTS, "RL", "local_rate_limited").saying("local_rate_limited")
        }
        ErrorKind::Denied => Row::new(S::FORBIDDEN, "", "rbac_access_denied_matched_policy[none]")
            .saying("RBAC: access denied"),
        ErrorKind::Unauthenticated => Row::new(S::UNAUTHORIZED, "", "jwt_authn_access_denied"),
        ErrorKind::BadRequest => {
            Row::new(S::BAD_REQUEST, "DPE", "bad_request").saying("Bad Request")
        }
        ErrorKind::TooLarge => Row::new(S::PAYLOAD_TOO_LARGE, "", "request_payload_too_large")
            .saying("Payload Too Large"),
        ErrorKind::ReplayOverflow => Row::new(
            S::INSUFFICIENT_STORAGE,
            "",
            "request_payload_exceeded_retry_buffer_limit",
        )
        .saying("exceeded request buffer limit while retrying upstream"),
        ErrorKind::Cancelled => Row::new(client_closed(), "DC", "downstream_remote_disconnect"),
        ErrorKind::Internal => Row::new(S::INTERNAL_SERVER_ERROR, "", "internal_error"),
        ErrorKind::Connect
        | ErrorKind::ConnectTimeout
        | ErrorKind::Tls
        | ErrorKind::Reset
        | ErrorKind::Protocol => reset_row(error),
        ErrorKind::StreamDeadline
        | ErrorKind::RouteTimeout
        | ErrorKind::AttemptTimeout
        | ErrorKind::StreamIdle => timeout_row(error.kind()),
    }
}

fn reset_row(error: &Error) -> Row {
    const UNAVAILABLE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
    match error.kind() {
        ErrorKind::ConnectTimeout => {
            Row::new(UNAVAILABLE, "UF", before_response!("connection_timeout"))
                .saying(reset!("connection timeout"))
        }
        ErrorKind::Protocol => protocol_error(),
        // The peer says that we have made one.
        ErrorKind::Reset if error.h2_reason() == Some(PROTOCOL_ERROR) => protocol_error(),
        ErrorKind::Reset if error.h2_reason() == Some(REFUSED_STREAM) => Row::new(
            UNAVAILABLE,
            "UR",
            before_response!("remote_refused_stream_reset"),
        )
        .saying(reset!("remote refused stream reset")),
        ErrorKind::Reset if error.h2_reason().is_some() => {
            Row::new(UNAVAILABLE, "UR", before_response!("remote_reset"))
                .saying(reset!("remote reset"))
        }
        ErrorKind::Reset => Row::new(
            UNAVAILABLE,
            "UC",
            before_response!("connection_termination"),
        )
        .saying(reset!("connection termination")),
        _ => Row::new(
            UNAVAILABLE,
            "UF",
            before_response!("remote_connection_failure"),
        )
        .saying(reset!("remote connection failure")),
    }
}

const fn protocol_error() -> Row {
    let details = before_response!("protocol_error");
    Row::new(StatusCode::BAD_GATEWAY, "UPE", details).saying(reset!("protocol error"))
}

const fn timeout_row(kind: ErrorKind) -> Row {
    const LATE: StatusCode = StatusCode::GATEWAY_TIMEOUT;
    match kind {
        ErrorKind::StreamDeadline => {
            Row::new(LATE, "", "max_duration_timeout").saying("downstream duration timeout")
        }
        ErrorKind::StreamIdle => {
            Row::new(LATE, "SI", "stream_idle_timeout").saying("stream timeout")
        }
        ErrorKind::AttemptTimeout => {
            Row::new(LATE, "UT", "upstream_per_try_timeout").saying("upstream request timeout")
        }
        _ => Row::new(LATE, "UT", "response_timeout").saying("upstream request timeout"),
    }
}

/// 499, which nobody reads: the caller is gone.
fn client_closed() -> StatusCode {
    StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST)
}

/// Details with what only this error knows: the transport's failure behind a bar, spaces as
/// underscores, as Envoy writes it. Bounded, since the text comes from outside.
pub(super) fn details(of_row: &'static str, error: &Error) -> Cow<'static, str> {
    let reason = match error.kind() {
        ErrorKind::Connect | ErrorKind::Tls => error.source().map(transport_failure),
        ErrorKind::Unauthenticated => Some(error.message().to_owned()),
        _ => None,
    };
    let Some(reason) = reason.filter(|reason| !reason.is_empty()) else {
        return Cow::Borrowed(of_row);
    };
    let reason = reason.chars().take(LONGEST_REASON).map(|c| match c {
        ' ' => '_',
        c if c.is_control() => '_',
        c => c,
    });
    let (head, separator) = match of_row.strip_suffix('}') {
        Some(head) => (head, '|'),
        None => (of_row, '{'),
    };
    let mut text = String::with_capacity(of_row.len() + LONGEST_REASON / 4);
    text.push_str(head);
    text.push(separator);
    text.extend(reason);
    text.push('}');
    Cow::Owned(text)
}

/// Why a connection could not be made, as Envoy says it: of what the system says, not the number.
fn transport_failure(source: &dyn StdError) -> String {
    let text = source.to_string();
    match text.split_once(" (os error ") {
        Some((reason, _)) => format!("delayed connect error: {reason}"),
        None => text,
    }
}
