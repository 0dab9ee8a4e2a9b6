//! Limits: counting what is under way, and permits that give their count back when dropped.

use std::{fmt, sync::Arc};

use super::{ClusterState, budget};
use crate::{
    config::Limits,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

/// How much of one thing is under way.
///
/// Relaxed throughout: the count guards no other memory, and each change is one atomic step, so
/// that a limit holds exactly and the count returns to zero whatever the order of observation.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicU32);

impl Gauge {
    pub(crate) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts one more, unless that would be more than `max`.
    pub(crate) fn try_add(&self, max: u32) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
                (now < max).then(|| now + 1)
            })
            .is_ok()
    }

    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn sub(&self) {
        let before = self.0.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(before > 0, "more given back than taken");
    }
}

/// Declares a permit that counts in one of the cluster's gauges until dropped.
macro_rules! permit {
    ($(#[$doc:meta])* $name:ident, $gauge:ident) => {
        $(#[$doc])*
        #[must_use = "a permit counts until it is dropped"]
        pub struct $name(Arc<ClusterState>);

        impl Drop for $name {
            fn drop(&mut self) {
                self.0.$gauge.sub();
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(self.0.name()).finish()
            }
        }
    };
}

permit! {
    /// Leave to retry; held until the retry has ended.
    RetryPermit, retries
}
permit! {
    /// Leave to wait for a connection.
    PendingPermit, pending
}
permit! {
    /// Leave to hold a connection.
    ConnectionPermit, connections
}

/// What a limit bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// `max_requests`.
    Requests,
    /// `max_pending_requests`.
    Pending,
    /// `max_retries`, or the retry budget.
    Retries,
    /// `max_connections`.
    Connections,
}

impl Limit {
    /// Every limit, in the order of their declaration.
    pub const ALL: [Self; 4] = [
        Self::Requests,
        Self::Pending,
        Self::Retries,
        Self::Connections,
    ];

    /// In one word: `requests`, `pending`, `retries`, `connections`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Pending => "pending",
            Self::Retries => "retries",
            Self::Connections => "connections",
        }
    }
}

/// How often each limit refused something. Relaxed: counts, nothing is published by them.
#[derive(Debug, Default)]
pub(crate) struct Reached([AtomicU64; Limit::ALL.len()]);

impl Reached {
    pub(crate) fn get(&self, limit: Limit) -> u64 {
        self.0[limit as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, limit: Limit) {
        self.0[limit as usize].fetch_add(1, Ordering::Relaxed);
    }
}

/// Limits as Envoy's circuit breakers have them; each is checked in one atomic step.
impl ClusterState {
    /// Leave for one more retry. The budget, where there is one, replaces `max_retries`.
    pub fn try_retry(self: &Arc<Self>, limits: &Limits) -> Option<RetryPermit> {
        let max = match &limits.retry_budget {
            None => limits.max_retries,
            Some(budget) => budget::retries(budget, self.in_flight()),
        };
        let leave = self.counted(self.retries.try_add(max), Limit::Retries);
        leave.then(|| RetryPermit(Arc::clone(self)))
    }

    /// Leave for one more request to wait for a connection.
    pub fn try_pending(self: &Arc<Self>, limits: &Limits) -> Option<PendingPermit> {
        let leave = self.pending.try_add(limits.max_pending_requests);
        let leave = self.counted(leave, Limit::Pending);
        leave.then(|| PendingPermit(Arc::clone(self)))
    }

    /// Leave for one more connection.
    pub fn try_connection(self: &Arc<Self>, limits: &Limits) -> Option<ConnectionPermit> {
        let leave = self.connections.try_add(limits.max_connections);
        let leave = self.counted(leave, Limit::Connections);
        leave.then(|| ConnectionPermit(Arc::clone(self)))
    }

    /// Counts a connection whatever the limit: an endpoint that has none may always get one (Envoy,
    /// "circuit breaking": the limit on connections).
    pub fn first_connection(self: &Arc<Self>) -> ConnectionPermit {
        self.connections.add();
        ConnectionPermit(Arc::clone(self))
    }

    /// How often a limit refused something.
    #[must_use]
    pub fn reached(&self, limit: Limit) -> u64 {
        self.reached.get(limit)
    }

    /// Counts a refusal.
    pub(super) fn counted(&self, leave: bool, limit: Limit) -> bool {
        if !leave {
            self.reached.add(limit);
        }
        leave
    }
}
