//! The one error of the data path: opaque, one word wide, asked by its methods.

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc};

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
    place: Place,
    source: Option<BoxError>,
}

/// Where in the mesh an error came up; filled from the inside out.
#[derive(Default)]
struct Place {
    target: Option<Arc<str>>,
    route: Option<Arc<str>>,
    cluster: Option<Arc<str>>,
    endpoint: Option<Arc<str>>,
}

/// What went wrong.
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
    /// No secure connection to the endpoint, or security asked for and not available.
    Tls,
    /// A limit was reached, or the control plane asked for requests to be dropped.
    Overloaded,
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
            place: Place::default(),
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

    /// With the code of the HTTP/2 reset that ended the stream.
    #[must_use]
    pub fn with_h2_reason(mut self, code: u32) -> Self {
        self.0.h2_reason = Some(code);
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
            ErrorKind::NoRoute | ErrorKind::NoCluster | ErrorKind::NotReady => Origin::Config,
            ErrorKind::NoEndpoint
            | ErrorKind::Connect
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
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place {
            target,
            route,
            cluster,
            endpoint,
        } = &self.0.place;
        f.write_str(&self.0.message)?;
        let places = [
            ("target", target),
            ("route", route),
            ("cluster", cluster),
            ("endpoint", endpoint),
        ];
        let mut separator = " (";
        for (kind, name) in places {
            if let Some(name) = name {
                write!(f, "{separator}{kind} {name}")?;
                separator = ", ";
            }
        }
        f.write_str(if separator == ", " { ")" } else { "" })?;
        match &self.0.source {
            Some(source) => write!(f, ": {source}"),
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
}
