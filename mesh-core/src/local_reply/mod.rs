//! The answers that the mesh makes itself: one table, so that status, body, response flag and
//! details always agree.
//!
//! Statuses, bodies, flags and details are Envoy's ("Response flags", "Response code details"):
//! operators search for them and tools match on them.

use std::{borrow::Cow, error::Error as _};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};

use crate::{
    config::Dialect,
    error::{Error, ErrorKind},
    policy::grpc_status::{GRPC_MESSAGE, GRPC_STATUS, GrpcCode, GrpcCodes, encode_message},
};

/// An answer made by the mesh instead of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// The HTTP status; gRPC requests get 200 and [`Self::grpc_code`].
    pub status: StatusCode,
    /// The gRPC status.
    pub grpc_code: GrpcCode,
    /// The body, and for gRPC the message; may be empty.
    pub body: Cow<'static, str>,
    /// Envoy's response flags, as `UF` or `URX,UF`; empty for none.
    pub flag: &'static str,
    /// Envoy's response code details: why, in one word.
    pub details: Cow<'static, str>,
    /// Headers to add to the answer.
    pub headers: HeaderMap,
}

/// One row of the table.
struct Row {
    status: StatusCode,
    body: &'static str,
    flag: &'static str,
    details: &'static str,
}

/// The longest transport failure that is quoted in details.
const LONGEST_REASON: usize = 256;

/// What stands in front of the reason in the body of a reset, before and after a retry.
const RESET: &str = "upstream connect error or disconnect/reset before headers. reset reason: ";
const RETRIED_RESET: &str = "upstream connect error or disconnect/reset before headers. \
                             retried and the latest reset reason: ";

static OVERLOADED: HeaderName = HeaderName::from_static("x-envoy-overloaded");
static DROP_OVERLOAD: HeaderName = HeaderName::from_static("x-envoy-drop-overload");

impl LocalReply {
    /// An answer with this status and body; the gRPC status is what the HTTP status maps to, and
    /// flag, details and headers are empty.
    #[must_use]
    pub fn new(status: StatusCode, body: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            grpc_code: GrpcCode::of_http(status),
            body: body.into(),
            flag: "",
            details: Cow::Borrowed(""),
            headers: HeaderMap::new(),
        }
    }

    /// The answer to a request that failed with `error`, with Envoy's gRPC codes.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        Self::with_codes(error, GrpcCodes::of(Dialect::Envoy))
    }

    /// The answer to a request that failed with `error`, with the gRPC codes of a dialect.
    #[must_use]
    pub fn with_codes(error: &Error, codes: GrpcCodes) -> Self {
        let row = row(error);
        let mut reply = Self {
            grpc_code: codes.of_error(error),
            flag: row.flag,
            details: details(row.details, error),
            ..Self::new(row.status, row.body)
        };
        match error.kind() {
            ErrorKind::Overloaded => reply.mark(&OVERLOADED),
            ErrorKind::Dropped => reply.mark(&DROP_OVERLOAD),
            // Only the message knows what was missing, or why the caller was refused, and the caller
            // is told (Envoy's JWT filter does the latter).
            ErrorKind::NotReady | ErrorKind::Unauthenticated => {
                reply.body = error.message().to_owned().into();
            }
            _ => {}
        }
        reply
    }

    /// With another status and the same gRPC code: a route's `cluster_not_found_response_code`.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same answer while the request is still arriving: a timeout of the whole stream is the
    /// caller's fault then and is 408.
    #[must_use]
    pub fn while_incomplete(self) -> Self {
        match &*self.details {
            "max_duration_timeout" | "stream_idle_timeout" => {
                self.with_status(StatusCode::REQUEST_TIMEOUT)
            }
            _ => self,
        }
    }

    /// The same answer after a retry; `exhausted` when the policy allowed no further one.
    #[must_use]
    pub fn retried(mut self, exhausted: bool) -> Self {
        if let Some(reason) = self.body.strip_prefix(RESET) {
            self.body = format!("{RETRIED_RESET}{reason}").into();
        }
        if exhausted {
            self.flag = match self.flag {
                "UF" => "URX,UF",
                "UC" => "URX,UC",
                "UR" => "URX,UR",
                "UPE" => "URX,UPE",
                "UT" => "URX,UT",
                flag => flag,
            };
        }
        self
    }

    /// The answer as a response: plain text, or for gRPC one of trailers only. A caller that answers
    /// HEAD drops the body.
    #[must_use]
    pub fn into_response(self, grpc: bool) -> Response<Bytes> {
        let mut headers = self.headers;
        let body = if grpc {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            headers.insert(&GRPC_STATUS, self.grpc_code.header_value());
            if !self.body.is_empty() && self.grpc_code != GrpcCode::OK {
                headers.insert(&GRPC_MESSAGE, encode_message(&self.body));
            }
            Bytes::new()
        } else {
            match self.body {
                Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
                Cow::Owned(text) => Bytes::from(text),
            }
        };
        if !body.is_empty() {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            headers
                .entry(CONTENT_TYPE)
                .or_insert(HeaderValue::from_static("text/plain"));
        }
        let mut response = Response::new(body);
        *response.status_mut() = if grpc { StatusCode::OK } else { self.status };
        *response.headers_mut() = headers;
        response
    }

    fn mark(&mut self, name: &HeaderName) {
        self.headers.insert(name, HeaderValue::from_static("true"));
    }
}

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

/// The body of a reset with this reason; the text is that of [`RESET`].
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

fn row(error: &Error) -> Row {
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
        ErrorKind::Protocol => Row::new(
            StatusCode::BAD_GATEWAY,
            "UPE",
            before_response!("protocol_error"),
        )
        .saying(reset!("protocol error")),
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
fn details(of_row: &'static str, error: &Error) -> Cow<'static, str> {
    let reason = match error.kind() {
        ErrorKind::Connect | ErrorKind::Tls => error.source().map(ToString::to_string),
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

#[cfg(test)]
mod tests;
