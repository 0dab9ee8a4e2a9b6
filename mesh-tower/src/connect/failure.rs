//! How sending a request or receiving its response fails.

use std::fmt;

use http::Request;

use crate::body::{BoxError, RequestBody};

/// An HTTP/2 error code (RFC 9113 section 7), as it came in or went out with RST_STREAM.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResetReason(u32);

/// What went wrong, in terms of what may be done about it.
#[derive(Debug)]
pub enum SendFailureKind {
    /// The request never left; it may be sent again anywhere.
    Unsent,
    /// The peer says that it did not process the request (REFUSED_STREAM, or a GOAWAY whose last
    /// stream is below this one, RFC 9113 sections 8.7 and 6.8); it may be sent again.
    Refused,
    /// The peer reset the stream with any other code. It may have acted on the request.
    Reset(ResetReason),
    /// The connection ended while the exchange was under way. The peer may have acted on the
    /// request. Holds what is known of the cause.
    ConnectionLost(Box<str>),
    /// The caller's own request body failed.
    RequestBody(BoxError),
    /// One side broke the protocol: the peer sent nonsense, or the request cannot be expressed.
    Protocol(Box<str>),
    /// The response head is larger than allowed. HTTP/1 only: on HTTP/2 it shows as `Protocol`.
    TooLarge,
}

/// A request that got no response.
#[derive(Debug)]
pub struct SendFailure {
    /// Why.
    pub kind: SendFailureKind,
    /// The request, when it is still whole; its hop-by-hop headers (and for HTTP/2 `host`) may be
    /// gone already. Also absent in the rare case that an HTTP/2 connection ends in the very
    /// instant of sending: `Unsent` then stands without a request.
    pub request: Option<Box<Request<RequestBody>>>,
}

/// An error while a response body is read. One word wide.
#[derive(Debug)]
pub struct ConnError {
    kind: Box<SendFailureKind>,
}

impl ResetReason {
    /// REFUSED_STREAM: the peer did not process the request.
    pub const REFUSED_STREAM: Self = Self(7);
    /// CANCEL: the stream is no longer needed.
    pub const CANCEL: Self = Self(8);

    /// A reason from the code on the wire; unknown codes are kept.
    #[must_use]
    pub const fn from_code(code: u32) -> Self {
        Self(code)
    }

    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> u32 {
        self.0
    }
}

impl SendFailureKind {
    /// True when the peer certainly did not act on the request.
    #[must_use]
    pub fn is_unprocessed(&self) -> bool {
        matches!(self, Self::Unsent | Self::Refused)
    }

    /// The code with which the peer reset the stream, if it did.
    #[must_use]
    pub fn reset_reason(&self) -> Option<ResetReason> {
        match self {
            Self::Reset(reason) => Some(*reason),
            _ => None,
        }
    }

    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::RequestBody(error) => Some(&**error),
            _ => None,
        }
    }
}

impl SendFailure {
    pub(crate) fn new(kind: SendFailureKind) -> Self {
        Self {
            kind,
            request: None,
        }
    }

    pub(crate) fn with_request(kind: SendFailureKind, request: Request<RequestBody>) -> Self {
        Self {
            kind,
            request: Some(Box::new(request)),
        }
    }
}

impl ConnError {
    pub(crate) fn new(kind: SendFailureKind) -> Self {
        Self {
            kind: Box::new(kind),
        }
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> &SendFailureKind {
        &self.kind
    }

    pub(crate) fn into_kind(self) -> SendFailureKind {
        *self.kind
    }
}

impl fmt::Debug for ResetReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&h2::Reason::from(self.0), f)
    }
}

impl fmt::Display for ResetReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for SendFailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsent => f.write_str("the request was not sent"),
            Self::Refused => f.write_str("the peer refused the request unprocessed"),
            Self::Reset(reason) => write!(f, "the peer reset the stream: {reason}"),
            Self::ConnectionLost(cause) => write!(f, "connection lost: {cause}"),
            Self::RequestBody(error) => write!(f, "the request body failed: {error}"),
            Self::Protocol(text) => write!(f, "protocol error: {text}"),
            Self::TooLarge => f.write_str("the response head is too large"),
        }
    }
}

impl fmt::Display for SendFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.kind, f)
    }
}

impl std::error::Error for SendFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.kind.source()
    }
}

impl fmt::Display for ConnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.kind, f)
    }
}

impl std::error::Error for ConnError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.kind.source()
    }
}
