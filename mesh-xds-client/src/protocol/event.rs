//! What the state machine tells of.

use std::sync::Arc;

use crate::resource::ResourceType;

/// Something to act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Open a stream, then say [`handle_connected`](super::AdsState::handle_connected) or
    /// [`handle_closed`](super::AdsState::handle_closed).
    Connect,
    /// The [`connection_error`](super::AdsState::connection_error) came, went or changed. It bears
    /// on every resource that has no value yet.
    Connection,
    /// The [`answer`](super::AdsState::answer) changed for one resource.
    Changed {
        /// Its kind.
        kind: ResourceType,
        /// Its canonical name.
        name: Arc<str>,
    },
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests handed out.
    pub requests: u64,
    /// Responses taken.
    pub responses: u64,
    /// Responses refused, in whole or in part.
    pub nacks: u64,
    /// Resources decoded and taken into use.
    pub accepted: u64,
    /// Resources refused.
    pub rejected: u64,
    /// Resources that were the same bytes as before, and not decoded again.
    pub unchanged: u64,
    /// Resources that nobody subscribed to, skipped.
    pub unwanted: u64,
    /// Responses of an unknown type, of one not asked for, or without a stream; dropped.
    pub dropped: u64,
    /// Times that a bound of [`Limits`](super::Limits) was hit.
    pub over_limit: u64,
    /// Streams that ended before their first message.
    pub failures: u64,
    /// How often the server went from reachable to not reachable (gRFC A78).
    pub outages: u64,
    /// Resources received and valid, unchanged ones included, by [`ResourceType`].
    pub valid: [u64; ResourceType::ALL.len()],
    /// Resources received and refused, by [`ResourceType`].
    pub invalid: [u64; ResourceType::ALL.len()],
}

impl Counters {
    pub(super) fn reject(&mut self, kind: ResourceType) {
        self.rejected += 1;
        self.invalid[kind as usize] += 1;
    }
}
