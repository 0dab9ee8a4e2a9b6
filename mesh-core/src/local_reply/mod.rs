//! The answers that the mesh makes itself: one table, so that status, body, response flag and
//! details always agree.
//!
//! Statuses, bodies, flags and details are Envoy's ("Response flags", "Response code details"):
//! operators search for them and tools match on them.

mod table;

use std::borrow::Cow;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};

use crate::{
    config::Dialect,
    error::{Error, ErrorKind, GaveUp},
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

/// What a log says of an answer that was made by the mesh: found in its extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// [`LocalReply::flag`].
    pub flag: &'static str,
    /// [`LocalReply::details`].
    pub details: Cow<'static, str>,
}

/// What stands in front of the reason in the body of a reset, before and after a retry.
const RESET: &str = "upstream connect error or disconnect/reset before headers. reset reason: ";
const RETRIED_RESET: &str = "upstream connect error or disconnect/reset before headers. \
                             retried and the latest reset reason: ";

static OVERLOADED: HeaderName = HeaderName::from_static("x-envoy-overloaded");
static DROP_OVERLOAD: HeaderName = HeaderName::from_static("x-envoy-drop-overload");
static DROP_OF_ALL: HeaderName = HeaderName::from_static("x-envoy-unconditional-drop-overload");

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
        let row = table::row(error);
        let mut reply = Self {
            grpc_code: codes.of_error(error),
            flag: row.flag,
            details: table::details(row.details, error),
            ..Self::new(row.status, row.body)
        };
        match error.kind() {
            ErrorKind::Overloaded => reply.mark(&OVERLOADED),
            ErrorKind::Dropped if error.is_unconditional() => reply.mark(&DROP_OF_ALL),
            ErrorKind::Dropped => reply.mark(&DROP_OVERLOAD),
            // A route's `cluster_not_found_response_code`.
            ErrorKind::NoCluster => reply.status = error.status().unwrap_or(reply.status),
            // Only the message knows what was missing, or why the caller was refused, and the caller
            // is told (Envoy's JWT filter does the latter).
            ErrorKind::NotReady | ErrorKind::Unauthenticated => {
                reply.body = error.message().to_owned().into();
            }
            _ => {}
        }
        if error.was_retried() {
            reply = reply.retried();
        }
        if error.why_not_again() == Some(GaveUp::Exhausted) {
            reply = reply.exhausted();
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

    /// The same answer after a retry.
    #[must_use]
    pub fn retried(mut self) -> Self {
        if let Some(reason) = self.body.strip_prefix(RESET) {
            self.body = format!("{RETRIED_RESET}{reason}").into();
        }
        self
    }

    /// The same answer where the policy allowed no further retry.
    #[must_use]
    pub fn exhausted(mut self) -> Self {
        self.flag = match self.flag {
            "UF" => "URX,UF",
            "UC" => "URX,UC",
            "UR" => "URX,UR",
            "UPE" => "URX,UPE",
            "UT" => "URX,UT",
            flag => flag,
        };
        self
    }

    /// The answer as a response: plain text, or for gRPC one of trailers only; with [`Made`] among its
    /// extensions. A caller that answers HEAD drops the body.
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
        response.extensions_mut().insert(Made {
            flag: self.flag,
            details: self.details,
        });
        response
    }

    fn mark(&mut self, name: &HeaderName) {
        self.headers.insert(name, HeaderValue::from_static("true"));
    }
}

#[cfg(test)]
mod tests;
