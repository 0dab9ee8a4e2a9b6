//! The bounds on what peers can make grow, and how often each was hit: one table, for the manual, the
//! metrics and tests.
//!
//! A bound that is hit refuses something, with an error where somebody waits for an answer, and
//! counts; [`crate::manual::bounds`] says what becomes of each.

use std::sync::atomic::{AtomicU64, Ordering};

/// A bound of the process as a whole or of each connection, message or request. Limits that are set for
/// each cluster (circuit breakers) are counted with the cluster, besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bound {
    /// Bytes of one response of a control plane.
    AdsMessage,
    /// Resources, removals and errors in one response of a control plane.
    AdsResources,
    /// Names subscribed to at a control plane, of one type.
    AdsNames,
    /// Bytes of a name, a version or a nonce of a control plane.
    AdsText,
    /// Memory of one compiled regex.
    Regex,
    /// Memory of all compiled regexes of one resource.
    Regexes,
    /// Requests that wait for a connection or an endpoint, of one cluster.
    PendingRequests,
    /// Bytes of a streaming request body that are kept to send it again.
    ReplayBuffer,
    /// Bytes and headers of the head of an answer over HTTP/1.
    AnswerHead,
    /// Bytes and headers of the head of a client's request.
    RequestHead,
    /// Frames of a client over HTTP/2 that make work and bring nothing, as resets.
    ClientFrames,
    /// Connections of the clients of a listener.
    ListenerConnections,
    /// Series of the metrics page.
    MetricSeries,
}

impl Bound {
    /// Every bound, in the order of their declaration.
    pub const ALL: &[Self] = &[
        Self::AdsMessage,
        Self::AdsResources,
        Self::AdsNames,
        Self::AdsText,
        Self::Regex,
        Self::Regexes,
        Self::PendingRequests,
        Self::ReplayBuffer,
        Self::AnswerHead,
        Self::RequestHead,
        Self::ClientFrames,
        Self::ListenerConnections,
        Self::MetricSeries,
    ];

    /// Its name in metrics and in the manual.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AdsMessage => "ads_message",
            Self::AdsResources => "ads_resources",
            Self::AdsNames => "ads_names",
            Self::AdsText => "ads_text",
            Self::Regex => "regex",
            Self::Regexes => "regexes",
            Self::PendingRequests => "pending_requests",
            Self::ReplayBuffer => "replay_buffer",
            Self::AnswerHead => "answer_head",
            Self::RequestHead => "request_head",
            Self::ClientFrames => "client_frames",
            Self::ListenerConnections => "listener_connections",
            Self::MetricSeries => "metric_series",
        }
    }

    /// Counts that it was hit.
    pub fn exceeded(self) {
        // Relaxed: a count, by which nothing is published.
        TIMES[self as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often it was hit since the process began.
    #[must_use]
    pub fn times(self) -> u64 {
        TIMES[self as usize].load(Ordering::Relaxed)
    }
}

static TIMES: [AtomicU64; Bound::ALL.len()] = [const { AtomicU64::new(0) }; Bound::ALL.len()];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_bound_counts_for_itself() {
        for (place, bound) in Bound::ALL.iter().enumerate() {
            assert_eq!(*bound as usize, place);
        }
        let before = Bound::MetricSeries.times();
        Bound::MetricSeries.exceeded();
        assert!(Bound::MetricSeries.times() > before);
        let names: HashSet<_> = Bound::ALL.iter().map(|bound| bound.name()).collect();
        assert_eq!(names.len(), Bound::ALL.len());
    }

    #[test]
    fn the_manual_has_a_row_for_each_bound() {
        let rows = include_str!("manual/bounds.md").lines();
        let named: Vec<_> = rows
            .filter_map(|row| row.strip_prefix("| `")?.split('`').next())
            .collect();
        let known: Vec<_> = Bound::ALL.iter().map(|bound| bound.name()).collect();
        assert_eq!(named, known);
    }
}
