//! Listeners: what applies to every request of a target before its route is known.

use std::time::Duration;

use serde::Serialize;

use super::FilterConfig;
use crate::name::ListenerName;

/// A Listener resource seen from the calling side: its HTTP connection manager.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListenerConfig {
    /// The resource's name.
    pub name: ListenerName,
    /// The chain in request order, without the terminal router.
    pub filters: Vec<FilterConfig>,
    /// How long clients may take.
    pub timeouts: ClientTimeouts,
}

/// How long a listener's clients may take (Envoy, "timeouts"). Zero is for ever; where nothing is said
/// it is up to whoever listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClientTimeouts {
    /// To begin another request: `idle_timeout`.
    pub idle: Option<Duration>,
    /// Between two signs of life of a request: `stream_idle_timeout`.
    pub stream_idle: Option<Duration>,
    /// For the head of a request: `request_headers_timeout`.
    pub request_headers: Option<Duration>,
    /// For all of a request: `request_timeout`.
    pub request: Option<Duration>,
}

impl ListenerConfig {
    /// A listener without filters.
    pub fn new(name: impl Into<ListenerName>) -> Self {
        Self {
            name: name.into(),
            filters: Vec::new(),
            timeouts: ClientTimeouts::default(),
        }
    }
}
