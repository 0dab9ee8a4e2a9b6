//! Listeners: what applies to every request of a target before its route is known.

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
}

impl ListenerConfig {
    /// A listener without filters.
    pub fn new(name: impl Into<ListenerName>) -> Self {
        Self {
            name: name.into(),
            filters: Vec::new(),
        }
    }
}
