use std::{collections::HashSet, sync::Arc};

use mesh_core::{
    config::{Address, ClusterConfig, Dialect, Discovery, EndpointsConfig, SnapshotBuilder},
    entropy::Entropy,
    runtime::{ClusterSlot, ConnectivityReport, Pick},
    source::FixedSource,
};

use super::*;
use crate::{
    Mesh,
    connect::{Connect, Connecting},
    mesh::TargetCell,
};

/// Makes no connection, ever.
#[derive(Debug)]
struct Never;

impl Connect for Never {
    fn connect(&self, _: &Address) -> Connecting {
        Box::pin(std::future::pending())
    }
}

/// A mesh with one cluster, which it keeps rebuilt, and a report of each of its endpoints.
struct Scene {
    _target: Arc<TargetCell>,
    source: FixedSource,
    cluster: Arc<Cluster>,
    reports: Vec<ConnectivityReport>,
}

impl Scene {
    async fn new(endpoints: u16) -> Self {
        let source = FixedSource::new();
        source.set("shop", snapshot(1..=endpoints));
        let mesh = Mesh::builder().source(source.clone()).connect(Never);
        let target = mesh.spawn().unwrap().target("shop".into());
        settle().await;
        let view = target.view().unwrap();
        let Some((_, ClusterSlot::Live(cluster))) = view.clusters().next() else {
            panic!("the cluster is not there");
        };
        let connect = cluster.rebuild(clock::now()).connect;
        assert_eq!(connect.len(), usize::from(endpoints));
        Self {
            _target: target,
            source,
            cluster: Arc::clone(cluster),
            reports: connect.iter().map(|it| it.state().report()).collect(),
        }
    }

    /// How many rebuilds and updates `act` led to by now.
    async fn rebuilds(&self, act: impl AsyncFnOnce()) -> u64 {
        let before = self.cluster.version();
        act().await;
        self.cluster.version() - before
    }

    /// Which endpoints are picked.
    fn picked(&self) -> HashSet<String> {
        let entropy = Entropy::seeded(1);
        let picks = (0..self.reports.len()).map(|_| match self.cluster.pick(&entropy) {
            Pick::Use(picked) => picked.endpoint.state().key().to_string(),
            other => panic!("{other:?}"),
        });
        picks.collect()
    }
}

fn snapshot(ports: impl IntoIterator<Item = u16>) -> mesh_core::config::Snapshot {
    let addresses = ports.into_iter();
    let addresses = addresses.map(|port| Address::Socket(([192, 0, 2, 1], port).into()));
    let endpoints = Discovery::Static(EndpointsConfig::of(addresses).into());
    let mut config = ClusterConfig::new("shop", endpoints, Dialect::Grpc);
    config.limits.max_requests = u32::MAX;
    SnapshotBuilder::new("shop")
        .cluster(config)
        .build()
        .unwrap()
}

/// Lets the driver run as far as it gets while time stands still.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_connections_costs_a_few_rebuilds() {
    let scene = Scene::new(2000).await;
    // The first is used at once.
    let first = scene.rebuilds(async || {
        scene.reports[0].set_ready();
        settle().await;
    });
    assert!((1..=2).contains(&first.await));
    assert_eq!(scene.picked().len(), 1);
    let burst = scene.rebuilds(async || {
        for report in &scene.reports[1..] {
            report.set_ready();
            settle().await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    });
    let burst = burst.await;
    assert!((1..=3).contains(&burst), "{burst} rebuilds");
    assert_eq!(scene.picked().len(), 2000);
}

#[tokio::test(start_paused = true)]
async fn what_fails_in_the_rest_is_not_picked_and_what_is_new_does_not_wait() {
    let scene = Scene::new(2000).await;
    for report in &scene.reports {
        report.set_ready();
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(scene.picked().len(), 2000);
    let none = scene.rebuilds(async || {
        scene.reports[0].set_connecting();
        settle().await;
        for report in &scene.reports[1..1990] {
            report.set_failed(clock::now(), 0, "reset");
        }
        settle().await;
    });
    assert!(none.await <= 1, "it rests");
    assert_eq!(scene.picked().len(), 10, "those that are left");
    let updated = scene.rebuilds(async || {
        scene.source.set("shop", snapshot(1..=1995));
        settle().await;
    });
    assert_eq!(updated.await, 2, "an update, and what follows from it");
    assert_eq!(scene.picked().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_small_cluster_never_rests() {
    let scene = Scene::new(100).await;
    let all = scene.rebuilds(async || {
        for report in &scene.reports {
            report.set_ready();
            settle().await;
        }
    });
    assert_eq!(all.await, 100);
    assert_eq!(scene.picked().len(), 100);
}
