//! The one future that makes a mesh live: it follows snapshots, and connects.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use mesh_core::{
    config::Snapshot,
    observe::{Observer, Several},
    source::{ConfigSource, ConfigUpdate, ConfigWatch},
};
use tokio::sync::mpsc;

use super::{
    apply::Started,
    pace::Rest,
    target::{Standing, TargetCell},
};
use crate::{clock, connect::Pools};

/// How old what observers publish of live state may be.
const PUBLISH: Duration = Duration::from_secs(5);

/// Follows the configuration of every open target and keeps their clusters connected. Whoever builds
/// a mesh spawns it, or has [`MeshBuilder::spawn`](super::MeshBuilder::spawn) do so. It ends when the
/// last handle of the mesh is gone.
#[must_use = "a mesh learns nothing until its driver is polled"]
pub struct MeshDriver(Pin<Box<dyn Future<Output = ()> + Send>>);

impl MeshDriver {
    pub(super) fn new(
        source: Arc<dyn ConfigSource>,
        targets: mpsc::UnboundedReceiver<Weak<TargetCell>>,
        clusters: mpsc::UnboundedReceiver<Started>,
        pools: Pools,
        observers: Several,
    ) -> Self {
        let drive = drive(source, targets, clusters, pools);
        Self(Box::pin(async move {
            tokio::select! {
                () = drive => {}
                () = publish(&observers) => {}
            }
        }))
    }
}

impl Future for MeshDriver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for MeshDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MeshDriver")
    }
}

async fn drive(
    source: Arc<dyn ConfigSource>,
    mut targets: mpsc::UnboundedReceiver<Weak<TargetCell>>,
    mut clusters: mpsc::UnboundedReceiver<Started>,
    pools: Pools,
) {
    let mut following = FuturesUnordered::new();
    let mut connecting = FuturesUnordered::new();
    // Both channels close with the last handle; a closed one is not asked again.
    let (mut opening, mut starting) = (true, true);
    while opening || starting {
        tokio::select! {
            opened = targets.recv(), if opening => match opened {
                Some(target) => following.extend(follow(&*source, &target)),
                None => opening = false,
            },
            started = clusters.recv(), if starting => match started {
                Some(started) => {
                    let kept = keep_connected(started, pools.clone(), Arc::clone(&source));
                    connecting.extend(kept);
                }
                None => starting = false,
            },
            Some(()) = following.next() => {}
            Some(()) = connecting.next() => {}
        }
    }
}

/// Has observers publish what is live, now and then. Never ends.
async fn publish(observers: &Several) {
    if observers.is_empty() {
        std::future::pending::<()>().await;
    }
    loop {
        observers.publish();
        tokio::time::sleep(PUBLISH).await;
    }
}

/// Applies what the source says of a target, until the target is dropped or the source ends.
fn follow(
    source: &dyn ConfigSource,
    target: &Weak<TargetCell>,
) -> Option<impl Future<Output = ()> + Send + use<>> {
    let cell = target.upgrade()?;
    cell.driven();
    let watch = source.watch(cell.name());
    let closed = cell.closed();
    let target = Weak::clone(target);
    Some(async move {
        tokio::select! {
            () = closed => {}
            () = apply_all(watch, target) => {}
        }
    })
}

async fn apply_all(mut watch: ConfigWatch, target: Weak<TargetCell>) {
    // In force, as long as there is a view.
    let mut applied: Option<Arc<Snapshot>> = None;
    loop {
        let update = watch.latest();
        {
            let Some(cell) = target.upgrade() else { return };
            match update {
                ConfigUpdate::Ready(snapshot) => {
                    cell.apply(applied.as_deref(), &snapshot);
                    applied = Some(snapshot);
                }
                ConfigUpdate::Pending(missing) => cell.stand(Standing::Pending(missing)),
                ConfigUpdate::Absent(reason) => {
                    applied = None;
                    cell.stand(Standing::Absent(reason));
                }
            }
        }
        if !watch.changed().await {
            // The source is gone; what it said last stays in force for as long as the target lives.
            std::future::pending::<()>().await;
        }
    }
}

/// Rebuilds a cluster's picker when it was updated, when the state of an endpoint changes, or when a
/// clock runs out, and connects the endpoints that should be connected; until the cluster is dropped.
/// The source hears of endpoints that could not be connected to: it may know better ones.
fn keep_connected(
    Started { cluster, updated }: Started,
    pools: Pools,
    source: Arc<dyn ConfigSource>,
) -> Option<impl Future<Output = ()> + Send + use<>> {
    let mut changes = cluster.upgrade()?.state().subscribe();
    Some(async move {
        let mut failures = 0;
        loop {
            let (wake, rest) = {
                changes.mark_unchanged();
                let Some(cluster) = cluster.upgrade() else {
                    return;
                };
                let failed = cluster.state().connect_failures();
                if std::mem::replace(&mut failures, failed) != failed {
                    source.connection_failed(cluster.name());
                }
                let had_ready = cluster.state().ready_endpoints() > 0;
                let rebuilt = cluster.rebuild(clock::now());
                for endpoint in rebuilt.connect {
                    pools.start_connecting(&cluster, &endpoint);
                }
                (rebuilt.wake, Rest::after(rebuilt.endpoints, had_ready))
            };
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = updated.notified() => continue,
                () = clock::sleep_until(wake) => {}
            }
            rest.end(&cluster, &mut changes, &updated).await;
        }
    })
}
