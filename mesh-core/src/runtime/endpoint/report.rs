//! What each pool reports of its connections to an endpoint, and what all of them come to.

use std::{fmt, sync::Arc, time::Instant};

use super::{Connectivity, EndpointState, Reported, backoff::Outage};
use crate::sync::atomic::{AtomicU8, Ordering};

/// One pool's report of its connections to an endpoint. Other pools of the process may report of the
/// same endpoint, and what it is comes from all of them:
///
/// - *ready* while any pool has a connection;
/// - else *failed*, from a pool's failure until the back-off is over or somebody tries again;
/// - else *connecting* while any pool makes one, and *idle* when none does.
///
/// A failure belongs to the endpoint and not to the pool: it ends with the back-off, or as soon as any
/// pool is ready, and stays when the pool that met it goes. Dropping the report takes back what it
/// said last.
pub struct ConnectivityReport {
    endpoint: Arc<EndpointState>,
    // A `Part`. Relaxed: read and written under the endpoint's lock alone.
    part: AtomicU8,
}

/// What one pool has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Nothing,
    Connecting,
    Ready,
}

/// All that was reported of an endpoint.
#[derive(Debug, Default)]
pub(super) struct Sum {
    connecting: u32,
    ready: u32,
    /// The last attempt failed, while no pool was ready, and its back-off is not known to be over.
    failed: bool,
    /// Nobody was ready since.
    failing: bool,
    pub(super) outage: Outage,
}

impl ConnectivityReport {
    pub(super) fn new(endpoint: Arc<EndpointState>) -> Self {
        Self {
            endpoint,
            part: AtomicU8::new(Part::Nothing as u8),
        }
    }

    /// The endpoint that it is of.
    #[must_use]
    pub fn endpoint(&self) -> &Arc<EndpointState> {
        &self.endpoint
    }

    /// The pool is making its first connection.
    pub fn set_connecting(&self) {
        self.endpoint.change(|sum| {
            sum.turn(self.swap(Part::Connecting), Part::Connecting);
            sum.failed = false;
        });
    }

    /// The pool has a connection; ends the back-off.
    pub fn set_ready(&self) {
        self.endpoint.change(|sum| {
            let before = self.swap(Part::Ready);
            sum.turn(before, Part::Ready);
            // Said again it is no news of an attempt.
            if before != Part::Ready {
                sum.failed = false;
                sum.failing = false;
                sum.outage.end();
            }
        });
    }

    /// The pool has no connection any more and makes none. A failure that another pool met meanwhile
    /// shows now, if that was the last connection and its back-off is not over.
    pub fn set_idle(&self, now: Instant) {
        self.endpoint.change(|sum| {
            let before = self.swap(Part::Nothing);
            sum.turn(before, Part::Nothing);
            if before == Part::Ready && sum.ready == 0 && !sum.outage.is_over(now) {
                sum.failed = true;
                sum.failing = true;
            }
        });
    }

    /// The pool could make no connection and has none left, for this reason. No pool tries again for
    /// 1 s at first, 1.6 times as long after each further failure, up to 120 s, all spread by 20 %
    /// with `draw`.
    pub fn set_failed(&self, now: Instant, draw: u64, reason: impl Into<Arc<str>>) {
        self.endpoint.count_failure();
        let reason = reason.into();
        self.endpoint.change(|sum| {
            sum.turn(self.swap(Part::Nothing), Part::Nothing);
            sum.outage.fail(now, draw, reason);
            // Another pool's connection says more than an attempt.
            if sum.ready == 0 {
                sum.failed = true;
                sum.failing = true;
            }
        });
    }

    /// Called under the endpoint's lock.
    fn swap(&self, part: Part) -> Part {
        match self.part.swap(part as u8, Ordering::Relaxed) {
            1 => Part::Connecting,
            2 => Part::Ready,
            _ => Part::Nothing,
        }
    }
}

impl Drop for ConnectivityReport {
    fn drop(&mut self) {
        self.endpoint
            .change(|sum| sum.turn(self.swap(Part::Nothing), Part::Nothing));
    }
}

impl Sum {
    /// One pool has this instead of that.
    fn turn(&mut self, before: Part, now: Part) {
        match before {
            Part::Nothing => {}
            Part::Connecting => self.connecting -= 1,
            Part::Ready => self.ready -= 1,
        }
        match now {
            Part::Nothing => {}
            Part::Connecting => self.connecting += 1,
            Part::Ready => self.ready += 1,
        }
    }

    /// What an endpoint of which that was reported is.
    pub(super) fn reported(&self) -> Reported {
        let connectivity = match (self.ready, self.connecting) {
            (1.., _) => Connectivity::Ready,
            _ if self.failed => Connectivity::Failed,
            (0, 1..) => Connectivity::Connecting,
            (0, 0) => Connectivity::Idle,
        };
        Reported {
            connectivity,
            failing: self.failing,
        }
    }

    /// Ends a failure whose back-off is over.
    pub(super) fn recover(&mut self, now: Instant) {
        if self.outage.is_over(now) {
            self.failed = false;
        }
    }
}

impl fmt::Debug for ConnectivityReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part.load(Ordering::Relaxed) {
            1 => Connectivity::Connecting,
            2 => Connectivity::Ready,
            _ => Connectivity::Idle,
        };
        f.debug_struct("ConnectivityReport")
            .field("endpoint", &self.endpoint)
            .field("reported", &part)
            .finish()
    }
}
