//! Many clusters: what they cost in requests, and what a change of one of them costs.

use std::sync::Arc;

use mesh_core::{
    config::{ClusterEntry, Snapshot},
    source::{ConfigSource as _, ConfigUpdate},
};
use mesh_testkit::{
    ControlPlane,
    control::{CDS, EDS, LDS, RDS},
    xds,
};

use crate::{BOTH, at, port, source, until};

const CLUSTERS: usize = 10_000;

fn name(number: usize) -> String {
    format!("cluster-{number}")
}

/// `shop` has a route to each of the clusters, each of which has two endpoints.
async fn many() -> ControlPlane {
    let plane = ControlPlane::start().await;
    let names: Vec<_> = (0..CLUSTERS).map(name).collect();
    let routes = names
        .iter()
        .map(|name| xds::to(name).path(&format!("/{name}")));
    let clusters: Vec<_> = names.iter().map(|name| xds::cluster(name)).collect();
    let endpoints: Vec<_> = names
        .iter()
        .map(|name| xds::endpoints(name, &[at(1), at(2)]))
        .collect();
    plane.set((
        xds::listener("shop", "routes"),
        xds::route_config("routes").host(&["*"], routes),
        clusters,
        endpoints,
    ));
    plane
}

fn requests(plane: &ControlPlane) -> u64 {
    [LDS, RDS, CDS, EDS]
        .iter()
        .map(|kind| plane.request_count(kind))
        .sum()
}

fn ready(snapshot: &Snapshot) -> usize {
    let clusters = snapshot.clusters.values();
    let ready = clusters.filter(|entry| matches!(entry, ClusterEntry::Ready(_)));
    ready.count()
}

/// How many clusters of two snapshots are not one and the same.
fn differing(one: &Snapshot, other: &Snapshot) -> usize {
    let clusters = one.clusters.iter().zip(other.clusters.iter());
    let differ = clusters.filter(|(one, other)| match (one, other) {
        ((name, ClusterEntry::Ready(one)), (same, ClusterEntry::Ready(other))) => {
            name != same
                || !Arc::ptr_eq(&one.config, &other.config)
                || !Arc::ptr_eq(&one.endpoints, &other.endpoints)
        }
        _ => true,
    });
    differ.count()
}

#[tokio::test]
async fn ten_thousand_clusters_start_with_a_handful_of_requests() {
    for variant in BOTH {
        let plane = many().await;
        let source = source(&plane, variant);
        let mut watch = source.watch(&"shop".into());
        let before = until(&mut watch, |update| match update {
            ConfigUpdate::Ready(snapshot) if ready(snapshot) == CLUSTERS => {
                Some(Arc::clone(snapshot))
            }
            _ => None,
        })
        .await;
        plane.wait_acked(EDS).await;
        let asked = requests(&plane);
        assert!(asked <= 20, "{variant:?}: {asked} requests");

        // One of them moves: one answer to the control plane, one cluster that is not as before.
        plane.set(xds::endpoints(&name(5_000), &[at(3)]));
        let after = port(&mut watch, &name(5_000), 3).await;
        plane.wait_acked(EDS).await;
        assert_eq!(requests(&plane), asked + 1, "{variant:?}");
        assert!(Arc::ptr_eq(&before.routes, &after.routes));
        assert_eq!(differing(&before, &after), 1);
    }
}
