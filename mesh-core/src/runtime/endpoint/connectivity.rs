//! The state of the connections to an endpoint, in one byte.

use serde::Serialize;

use crate::{
    config::Readiness,
    sync::atomic::{AtomicU8, Ordering},
};

/// The state of the connections to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Connectivity {
    /// There is none, and none is being made.
    Idle,
    /// The first is being made.
    Connecting,
    /// There is one.
    Ready,
    /// The last attempt failed not long ago.
    Failed,
}

impl Connectivity {
    /// Every state, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Idle, Self::Connecting, Self::Ready, Self::Failed];

    /// In one word: `idle`, `connecting`, `ready`, `failed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

/// Connectivity as it was last reported, and whether a failure still shadows it: an endpoint that
/// failed is taken for failing, whatever it tries, until it is ready (gRFC A62's sticky
/// TRANSIENT_FAILURE).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reported {
    pub(crate) connectivity: Connectivity,
    pub(crate) failing: bool,
}

/// What an endpoint is good for, given what its cluster asks of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may be picked.
    Usable,
    /// It may be picked where nothing is usable: it failed and is being tried again.
    Probing,
    /// It may become usable soon; a request can wait for it.
    Waiting,
    /// It failed.
    Failing,
}

impl Reported {
    pub(crate) fn standing(self, readiness: Readiness) -> Standing {
        match (readiness, self.connectivity) {
            (_, Connectivity::Ready) => Standing::Usable,
            (_, Connectivity::Failed) => Standing::Failing,
            (Readiness::ConnectFirst, _) if self.failing => Standing::Failing,
            (Readiness::ConnectFirst, _) => Standing::Waiting,
            (Readiness::OnDemand, Connectivity::Connecting) if self.failing => Standing::Probing,
            (Readiness::OnDemand, _) => Standing::Usable,
        }
    }
}

/// A [`Reported`] that a picker reads without a lock.
///
/// Relaxed: a reader acts on the byte alone, and whatever it then does with a connection
/// synchronizes by itself. Writers hold the endpoint's mutex, which orders them.
#[derive(Debug, Default)]
pub(super) struct ReportedCell(AtomicU8);

const FAILING: u8 = 4;

impl ReportedCell {
    pub(super) fn get(&self) -> Reported {
        let bits = self.0.load(Ordering::Relaxed);
        Reported {
            connectivity: match bits & !FAILING {
                0 => Connectivity::Idle,
                1 => Connectivity::Connecting,
                2 => Connectivity::Ready,
                _ => Connectivity::Failed,
            },
            failing: bits & FAILING != 0,
        }
    }

    /// Stores `reported`; gives whether that changed anything.
    pub(super) fn set(&self, reported: Reported) -> bool {
        let bits = match reported.connectivity {
            Connectivity::Idle => 0,
            Connectivity::Connecting => 1,
            Connectivity::Ready => 2,
            Connectivity::Failed => 3,
        };
        let bits = bits | if reported.failing { FAILING } else { 0 };
        self.0.swap(bits, Ordering::Relaxed) != bits
    }
}
