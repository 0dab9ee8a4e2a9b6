//! The one error of the data path: opaque, one word wide, asked by its methods.

mod causes;
mod dropped;
mod gave_up;
mod line;

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc};

use http::StatusCode;

pub use self::{causes::Causes, gave_up::GaveUp, line::OneLine};

/// Any error, boxed.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a request got no answer from its service.
///
/// Reads as one line: what was being done, for which target, route, cluster and endpoint, and why it
/// failed.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    sent: bool,
    h2_reason: Option<u32>,
    status: Option<StatusCode>,
    place: Place,
    retried: bool,
    gave_up: Option<GaveUp>,
    unconditional: bool,
    source: Option<BoxError>,
}

/// Where in the mesh an error came up; filled from the inside out.
#[derive(Default)]
struct Place {
    target: Option<Arc<str>>,
    route: Option<Arc<str>>,
    cluster: Option<Arc<str>>,
    endpoint: Option<Arc<str>>,
    attempt: u32,
}

/// What went wrong. Displays as a short phrase; [`crate::manual::errors`] lists what each becomes in
/// HTTP and gRPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No virtual host or no route takes the request.
    NoRoute,
    /// The route's cluster does not exist or cannot be used.
    NoCluster,
    /// No configuration arrived in time.
    NotReady,
    /// The cluster has no endpoint that may be picked.
    NoEndpoint,
    /// No connection to the endpoint.
    Connect,
    /// No connection to the endpoint within the cluster's `connect_timeout`.
    ConnectTimeout,
    /// No secure connection to the endpoint, or security asked for and not available.
    Tls,
    /// A limit on requests, connections or retries was reached.
    Overloaded,
    /// The control plane asked for a share of the requests to be dropped, and this one fell into it.
    Dropped,
    /// The connection or the stream ended before the answer did.
    Reset,
    /// The endpoint spoke nonsense.
    Protocol,
    /// `max_stream_duration` or the caller's own deadline passed.
    StreamDeadline,
    /// The route's `timeout` passed.
    RouteTimeout,
    /// The attempt's `per_try_timeout` passed.
    AttemptTimeout,
    /// Nothing moved on the stream for the idle timeout.
    StreamIdle,
    /// The request is not allowed.
    Denied,
    /// The caller is not known.
    Unauthenticated,
    /// A rate limit was reached.
    RateLimited,
    /// The request is not one that can be sent.
    BadRequest,
    /// The request exceeds a limit of size.
    TooLarge,
    /// The request outgrew the replay buffer while it waited to be sent again.
    ReplayOverflow,
    /// The caller gave up.
    Cancelled,
    /// The mesh is used wrongly or is at fault itself.
    Internal,
}

impl ErrorKind {
    /// Every kind, in the order of their declaration.
    pub const ALL: &[Self] = &[
        Self::NoRoute,
        Self::NoCluster,
        Self::NotReady,
        Self::NoEndpoint,
        Self::Connect,
        Self::ConnectTimeout,
        Self::Tls,
        Self::Overloaded,
        Self::Dropped,
        Self::Reset,
        Self::Protocol,
        Self::StreamDeadline,
        Self::RouteTimeout,
        Self::AttemptTimeout,
        Self::StreamIdle,
        Self::Denied,
        Self::Unauthenticated,
        Self::RateLimited,
        Self::BadRequest,
        Self::TooLarge,
        Self::ReplayOverflow,
        Self::Cancelled,
        Self::Internal,
    ];

    /// The phrase for a message that has nothing better to say.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoRoute => "no route takes the request",
            Self::NoCluster => "the route's cluster does not exist",
            Self::NotReady => "no configuration arrived in time",
            Self::NoEndpoint => "the cluster has no usable endpoint",
            Self::Connect => "could not connect",
            Self::ConnectTimeout => "could not connect in time",
            Self::Tls => "could not set up a secure connection",
            Self::Overloaded => "a limit was reached",
            Self::Dropped => "dropped as the control plane asked",
            Self::Reset => "the stream was reset",
            Self::Protocol => "the endpoint broke the protocol",
            Self::StreamDeadline => "the deadline passed",
            Self::RouteTimeout => "the route's timeout passed",
            Self::AttemptTimeout => "the attempt's timeout passed",
            Self::StreamIdle => "the stream was idle for too long",
            Self::Denied => "access denied",
            Self::Unauthenticated => "the caller is not known",
            Self::RateLimited => "a rate limit was reached",
            Self::BadRequest => "the request cannot be sent",
            Self::TooLarge => "the request is too large",
            Self::ReplayOverflow => "the request outgrew the replay buffer",
            Self::Cancelled => "the caller gave up",
            Self::Internal => "internal error",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose doing an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// What the control plane says, or does not say.
    Config,
    /// This program: its limits, deadlines, requests.
    Local,
    /// The endpoint or the way to it.
    Upstream,
}

impl Error {
    /// An error of a request of which nothing has been sent yet.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            sent: false,
            h2_reason: None,
            status: None,
            place: Place::default(),
            retried: false,
            gave_up: None,
            unconditional: false,
            source: None,
        }))
    }

    /// With the error that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Marks that the endpoint may have seen the request.
    #[must_use]
    pub fn sent(mut self) -> Self {
        self.0.sent = true;
        self
    }

    /// With the code of the HTTP/2 reset that ended the stream: the RST_STREAM frame's, or
    /// REFUSED_STREAM (7) for a stream above a GOAWAY's last one; never the GOAWAY's own code.
    #[must_use]
    pub fn with_h2_reason(mut self, code: u32) -> Self {
        self.0.h2_reason = Some(code);
        self
    }

    /// With the HTTP status to answer where configuration says otherwise than the table of kinds.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Names the target, unless it is named already.
    #[must_use]
    pub fn for_target(mut self, target: &str) -> Self {
        self.0.place.target.get_or_insert_with(|| target.into());
        self
    }

    /// Names the route, unless it is named already or `route` is empty.
    #[must_use]
    pub fn on_route(mut self, route: &str) -> Self {
        if !route.is_empty() {
            self.0.place.route.get_or_insert_with(|| route.into());
        }
        self
    }

    /// Names the cluster, unless it is named already.
    #[must_use]
    pub fn in_cluster(mut self, cluster: &str) -> Self {
        self.0.place.cluster.get_or_insert_with(|| cluster.into());
        self
    }

    /// Names the endpoint, unless it is named already.
    #[must_use]
    pub fn at_endpoint(mut self, endpoint: &str) -> Self {
        self.0.place.endpoint.get_or_insert_with(|| endpoint.into());
        self
    }

    /// Says which attempt it was, counted from 1, unless that is said already. The first is not
    /// told of.
    #[must_use]
    pub fn in_attempt(mut self, attempt: u32) -> Self {
        if self.0.place.attempt == 0 {
            self.0.place.attempt = attempt;
        }
        self
    }

    /// Marks that it is that of a retry which policy asked for.
    #[must_use]
    pub fn retried(mut self) -> Self {
        self.0.retried = true;
        self
    }

    /// Says why a request was not sent again that policy would have sent again.
    #[must_use]
    pub fn gave_up(mut self, reason: GaveUp) -> Self {
        self.0.gave_up = Some(reason);
        self
    }

    /// Whether it is that of a retry which policy asked for.
    #[must_use]
    pub fn was_retried(&self) -> bool {
        self.0.retried
    }

    /// Why the request was not sent again, where policy would have.
    #[must_use]
    pub fn why_not_again(&self) -> Option<GaveUp> {
        self.0.gave_up
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What went wrong, in words, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whose doing it is.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match self.0.kind {
            ErrorKind::NoRoute
            | ErrorKind::NoCluster
            | ErrorKind::NotReady
            | ErrorKind::Dropped => Origin::Config,
            ErrorKind::NoEndpoint
            | ErrorKind::Connect
            | ErrorKind::ConnectTimeout
            | ErrorKind::Tls
            | ErrorKind::Reset
            | ErrorKind::Protocol
            | ErrorKind::AttemptTimeout
            | ErrorKind::RouteTimeout => Origin::Upstream,
            _ => Origin::Local,
        }
    }

    /// Whether the endpoint may have seen the request. If not, sending it again is always safe.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        self.0.sent
    }

    /// The code of the HTTP/2 reset that ended the stream, if one did.
    #[must_use]
    pub fn h2_reason(&self) -> Option<u32> {
        self.0.h2_reason
    }

    /// The HTTP status that configuration asks for, if it does.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }
}

impl From<ErrorKind> for Error {
    /// An error with the kind's own phrase for a message.
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind, kind.as_str())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = [
            ("target", &self.target),
            ("route", &self.route),
            ("cluster", &self.cluster),
            ("endpoint", &self.endpoint),
        ];
        let mut separator = " (";
        for (kind, name) in places {
            if let Some(name) = name {
                write!(f, "{separator}{kind} {}", OneLine(name))?;
                separator = ", ";
            }
        }
        if self.attempt > 1 {
            write!(f, "{separator}attempt {}", self.attempt)?;
            separator = ", ";
        }
        f.write_str(if separator == ", " { ")" } else { "" })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        write!(f, "{}{}", OneLine(&inner.message), inner.place)?;
        if let Some(source) = &inner.source {
            write!(f, ": {}", Causes(&**source))?;
        }
        // The number of the attempt says that there were others.
        match inner.gave_up.filter(|reason| *reason != GaveUp::Exhausted) {
            Some(reason) => write!(f, "; not sent again: {}", reason.as_str()),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_word_and_reads_as_one_line() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        let error = Error::new(ErrorKind::Connect, "could not connect")
            .with_source("connection refused")
            .at_endpoint("127.0.0.1:1")
            .in_cluster("shop")
            .for_target("greeter")
            .for_target("another");
        assert_eq!(
            error.to_string(),
            "could not connect (target greeter, cluster shop, endpoint 127.0.0.1:1): connection refused"
        );
        assert!(!error.was_sent());
        assert_eq!(error.origin(), Origin::Upstream);
    }

    #[test]
    fn an_error_tells_its_attempt_all_its_causes_and_why_it_stands() {
        let cause = Error::new(ErrorKind::Tls, "no\ntrust").with_source("expired\n");
        let error = Error::new(ErrorKind::Reset, "lost\r\nit")
            .with_source(cause)
            .in_attempt(3)
            .in_attempt(4)
            .gave_up(GaveUp::Overflow);
        assert_eq!(
            error.to_string(),
            "lost it (attempt 3): no trust: expired; not sent again: the cluster's limit on retries is reached"
        );
        assert_eq!(
            Error::from(ErrorKind::Reset).in_attempt(1).to_string(),
            "the stream was reset"
        );
    }
}
