//! Waiting for a target to be ready: for probes and for programs that start.

use std::sync::Arc;

use futures_util::{FutureExt, future::select_all};
use mesh_core::{
    Error, ErrorKind,
    entropy::Entropy,
    runtime::{ClusterSlot, Connectivity, Pick, View},
};

use super::{
    apply::Cluster,
    target::{FIRST_VIEW, TargetCell},
};
use crate::{
    clock,
    connect::{Pool, Pools},
};

impl TargetCell {
    /// Waits for a view, and for one connection of one of its clusters.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        let start = clock::now();
        let late = clock::sleep_until(start.checked_add(FIRST_VIEW));
        tokio::pin!(late);
        loop {
            let changed = self.changed();
            let view = self.wait(start, None).await?;
            tokio::select! {
                biased;
                connected = self.connected(&view) => return connected,
                // Its clusters may be others now.
                () = changed => {}
                () = &mut late => return Err(not_connected(&view)),
            }
        }
    }

    async fn connected(&self, view: &View<Pool>) -> Result<(), Error> {
        let live = view.clusters().filter_map(|(_, slot)| match slot {
            ClusterSlot::Live(cluster) => Some(Arc::clone(cluster)),
            ClusterSlot::Unavailable(_) => None,
        });
        let waits: Vec<_> = live
            .map(|cluster| one_connection(cluster, self.pools().clone()).boxed())
            .collect();
        if waits.is_empty() {
            return Err(not_connected(view));
        }
        select_all(waits).await;
        Ok(())
    }
}

/// Connects to what the picker offers until it is connected.
async fn one_connection(cluster: Arc<Cluster>, pools: Pools) {
    let mut changes = cluster.state().subscribe();
    loop {
        changes.mark_unchanged();
        let version = cluster.version();
        if let Pick::Use(picked) = cluster.pick(&Entropy::system()) {
            if picked.endpoint.state().connectivity() == Connectivity::Ready {
                return;
            }
            pools.start_connecting(&cluster, &picked.endpoint);
        }
        tokio::select! {
            _ = changes.changed() => {}
            () = cluster.changed(version) => {}
        }
    }
}

fn not_connected(view: &View<Pool>) -> Error {
    let reasons = view.clusters().map(|(name, slot)| match slot {
        ClusterSlot::Live(cluster) => match cluster.pick(&Entropy::system()) {
            Pick::Fail(error) => format!("{name}: {error}"),
            _ => format!("{name}: still connecting"),
        },
        ClusterSlot::Unavailable(reason) => format!("{name}: {reason}"),
    });
    let reasons: Vec<_> = reasons.take(8).collect();
    let text = format!("no connection to any cluster: {}", reasons.join("; "));
    Error::new(ErrorKind::NotReady, text)
}
