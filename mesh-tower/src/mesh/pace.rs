//! How often a cluster's picker is rebuilt.
//!
//! A rebuild looks at all endpoints of a cluster. When many of them connect at once, one for each
//! would cost the square of their number, so a large cluster rests between two: for 2 ms per 1,000
//! endpoints, at most 50 ms. Below 500 endpoints there is no rest.
//!
//! No pick is wrong for it, since an endpoint is looked at again when it is picked: one that has
//! failed is passed over, and one that is ready anew is picked once the rest is over. What must not
//! rest does not: new configuration, and the first endpoint that is ready where none was.

#[cfg(test)]
mod tests;

use std::{
    sync::Weak,
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};

use super::apply::Cluster;
use crate::clock;

const PER_ENDPOINT: Duration = Duration::from_micros(2);
const LONGEST: Duration = Duration::from_millis(50);
/// Timers are no finer.
const SHORTEST: Duration = Duration::from_millis(1);

/// The rest after a rebuild.
#[derive(Debug)]
pub(super) struct Rest {
    over: Option<Instant>,
    had_ready: bool,
}

impl Rest {
    /// After a rebuild that looked at that many endpoints, and began with or without one ready.
    pub(super) fn after(endpoints: usize, had_ready: bool) -> Self {
        let endpoints = u32::try_from(endpoints).unwrap_or(u32::MAX);
        let length = PER_ENDPOINT.saturating_mul(endpoints).min(LONGEST);
        let over = (length >= SHORTEST).then(|| clock::now() + length);
        Self { over, had_ready }
    }

    /// Waits until the next rebuild is due, given that something asks for one.
    pub(super) async fn end(
        self,
        cluster: &Weak<Cluster>,
        changes: &mut watch::Receiver<u64>,
        updated: &Notify,
    ) {
        let Some(over) = self.over else { return };
        let first_ready = async {
            if self.had_ready {
                std::future::pending::<()>().await;
            }
            while none_ready(cluster) && changes.changed().await.is_ok() {}
        };
        tokio::select! {
            () = clock::sleep_until(Some(over)) => {}
            () = updated.notified() => {}
            () = first_ready => {}
        }
    }
}

fn none_ready(cluster: &Weak<Cluster>) -> bool {
    let cluster = cluster.upgrade();
    cluster.is_some_and(|cluster| cluster.state().ready_endpoints() == 0)
}
