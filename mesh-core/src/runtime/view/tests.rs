use std::time::Instant;

use super::*;
use crate::{
    config::{
        Address, ClusterConfig, Dialect, Discovery, EndpointsConfig, Protocol, RouteConfig,
        SnapshotBuilder,
    },
    runtime::Registry,
};

const CLUSTERS: usize = 10_000;

/// The live clusters, and how many were asked for.
struct Live {
    registry: Registry,
    asked: usize,
}

fn endpoints(port: u16) -> Arc<EndpointsConfig> {
    EndpointsConfig::of([Address::Socket(([127, 0, 0, 1], port).into())]).into()
}

fn snapshot() -> Snapshot {
    let mut builder =
        SnapshotBuilder::new("shop").routes(RouteConfig::to_cluster("c0".into(), Dialect::Grpc));
    for number in 0..CLUSTERS {
        let discovery = Discovery::Static(endpoints(1));
        let name = format!("c{number}");
        builder = builder.cluster(ClusterConfig::new(name.as_str(), discovery, Dialect::Grpc));
    }
    builder.build().unwrap()
}

fn build(snapshot: &Snapshot) -> View<()> {
    let registry = Registry::default();
    let now = Instant::now();
    let live = |given: &ClusterSnapshot| Arc::new(ClusterRuntime::new(given, &registry, now));
    View::build(snapshot, &FilterRegistry::default(), None, live, |_| None)
}

/// As a mesh finds live clusters: the one of the view unless it would have to be another.
fn refresh(view: &View<()>, applied: &Snapshot, snapshot: &Snapshot, live: &mut Live) -> bool {
    view.refresh(applied, snapshot, |given| {
        live.asked += 1;
        let now = Instant::now();
        let slot = &view.by_name.get(&given.config.name).unwrap().cluster;
        let ClusterSlot::Live(cluster) = slot else {
            return Arc::new(ClusterRuntime::new(given, &live.registry, now));
        };
        if !cluster.config().same_identity(&given.config) {
            return Arc::new(ClusterRuntime::new(given, &live.registry, now));
        }
        cluster.update(given, now);
        Arc::clone(cluster)
    })
}

fn ready<'a>(snapshot: &'a mut Snapshot, name: &str) -> &'a mut ClusterSnapshot {
    match snapshot.clusters.get_mut(name) {
        Some(ClusterEntry::Ready(cluster)) => cluster,
        other => panic!("{other:?}"),
    }
}

fn live() -> Live {
    Live {
        registry: Registry::default(),
        asked: 0,
    }
}

#[test]
fn one_endpoint_among_ten_thousand_clusters_costs_its_own() {
    let one = snapshot();
    let view = build(&one);
    let versions = || -> Vec<u64> {
        let slots = view.clusters().map(|(_, slot)| match slot {
            ClusterSlot::Live(cluster) => cluster.version(),
            ClusterSlot::Unavailable(reason) => panic!("{reason}"),
        });
        slots.collect()
    };
    let before = versions();
    let mut live = live();
    let mut last = one;
    for (round, name) in (1..).zip(["c9999", "c0", "c64"]) {
        let mut next = last.clone();
        ready(&mut next, name).endpoints = endpoints(2);
        assert!(refresh(&view, &last, &next, &mut live));
        assert_eq!(live.asked, round);
        last = next;
    }
    let after = versions();
    let touched = before.iter().zip(&after).filter(|(old, new)| old != new);
    assert_eq!(touched.count(), 3);
    assert!(refresh(&view, &last, &last.clone(), &mut live));
    assert_eq!(live.asked, 3, "nothing changed");
}

#[test]
fn whatever_requests_would_see_needs_another_view() {
    let one = snapshot();
    let view = build(&one);
    let mut live = live();
    let mut needs = |change: &dyn Fn(&mut Snapshot)| {
        let mut next = one.clone();
        change(&mut next);
        !refresh(&view, &one, &next, &mut live)
    };
    assert!(!needs(&|_| {}));
    assert!(needs(
        &|it| it.listener = Arc::new(ListenerConfig::clone(&it.listener))
    ));
    assert!(needs(&|it| it.routes = snapshot().routes));
    assert!(needs(&|it| it.clusters = snapshot().clusters));
    assert!(needs(&|it| {
        let gone = ClusterEntry::Unavailable("gone".into());
        it.clusters.insert("c7".into(), gone);
    }));
    assert!(needs(&|it| {
        let cluster = ready(it, "c7");
        let mut config = ClusterConfig::clone(&cluster.config);
        config.protocol = Protocol::Http1(crate::config::Http1Config::new());
        cluster.config = Arc::new(config);
    }));
    // Policy alone is the cluster's own affair.
    assert!(!needs(&|it| {
        let cluster = ready(it, "c7");
        let mut config = ClusterConfig::clone(&cluster.config);
        config.limits.max_requests = 7;
        cluster.config = Arc::new(config);
    }));
}
