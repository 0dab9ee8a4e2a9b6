//! Any order of events: the invariants hold, and when all is answered the newest is in force.

use std::collections::BTreeMap;

use fastrand::Rng;
use mesh_core::{config::ClusterEntry, source::ConfigUpdate};

use super::world::{World, brief, cluster, endpoints, listener, routes};
use crate::{
    resource::{
        ResourceType::{Cluster, Endpoints, Listener, RouteConfig},
        RouteSource,
    },
    store::ErrorKind,
};

const TARGETS: [&str; 3] = ["t0", "t1", "t2"];
const ROUTES: [&str; 3] = ["r0", "r1", "r2"];
const CLUSTERS: [&str; 4] = ["c0", "c1", "c2", "c3"];
const SERVICES: [&str; 4] = ["e0", "e1", "e2", "e3"];

/// What the control plane says last: the truth to arrive at.
#[derive(Debug, Default)]
struct Truth {
    listeners: BTreeMap<&'static str, &'static str>,
    routes: BTreeMap<&'static str, Vec<&'static str>>,
    clusters: BTreeMap<&'static str, &'static str>,
    endpoints: BTreeMap<&'static str, u16>,
}

impl Truth {
    fn say(&self, world: &mut World) {
        for (name, routes) in &self.listeners {
            world.put(
                Listener,
                name,
                listener(name, RouteSource::Rds((*routes).into())),
            );
        }
        for (name, clusters) in &self.routes {
            world.put(RouteConfig, name, routes(name, clusters));
        }
        for (name, service) in &self.clusters {
            world.put(Cluster, name, cluster(name, service));
        }
        for (name, port) in &self.endpoints {
            world.put(Endpoints, name, endpoints(*port));
        }
    }
}

fn step(rng: &mut Rng, world: &mut World, truth: &mut Truth) {
    let [t, r, c, e] = std::array::from_fn(|_| rng.usize(..3));
    match rng.u8(..12) {
        0 | 1 => {
            truth.listeners.insert(TARGETS[t], ROUTES[r]);
            let rds = RouteSource::Rds(ROUTES[r].into());
            world.put(Listener, TARGETS[t], listener(TARGETS[t], rds));
        }
        2 | 3 => {
            let clusters: Vec<_> = CLUSTERS.into_iter().filter(|_| rng.bool()).collect();
            world.put(RouteConfig, ROUTES[r], routes(ROUTES[r], &clusters));
            truth.routes.insert(ROUTES[r], clusters);
        }
        4 | 5 => {
            truth.clusters.insert(CLUSTERS[c], SERVICES[e]);
            world.put(Cluster, CLUSTERS[c], cluster(CLUSTERS[c], SERVICES[e]));
        }
        6 | 7 => {
            let port = rng.u16(1..);
            truth.endpoints.insert(SERVICES[e], port);
            world.put(Endpoints, SERVICES[e], endpoints(port));
        }
        8 => {
            world.graph.unwatch(TARGETS[t]);
            world.turn();
        }
        9 => {
            world.graph.watch(TARGETS[t]);
            world.turn();
        }
        10 => {
            world.connection(rng.bool().then_some("refused"));
        }
        _ => {
            let kinds = [ErrorKind::Absent, ErrorKind::Rejected, ErrorKind::Timeout];
            let (kind, name) = match rng.u8(..4) {
                0 => (Listener, TARGETS[t]),
                1 => (RouteConfig, ROUTES[r]),
                2 => (Cluster, CLUSTERS[c]),
                _ => (Endpoints, SERVICES[e]),
            };
            world.fail(kind, name, kinds[rng.usize(..3)]);
        }
    }
}

/// What one target must come to.
fn check(world: &World, truth: &Truth, target: &str) {
    let clusters = &truth.routes[truth.listeners[target]];
    let ConfigUpdate::Ready(snapshot) = world.latest(target) else {
        panic!("{target}: {:?}", world.latest(target));
    };
    assert!(
        snapshot
            .clusters
            .keys()
            .map(|name| name.as_str())
            .eq(clusters.iter().copied())
    );
    for name in clusters {
        let port = truth.endpoints[truth.clusters[name]];
        assert_eq!(brief(snapshot, name), format!("[{port}]"));
    }
}

#[test]
fn every_order_of_events_ends_in_the_newest_configuration() {
    for seed in 0..300 {
        println!("seed {seed}");
        let mut rng = Rng::with_seed(seed);
        let mut world = World::watching(&TARGETS);
        let mut truth = Truth::default();
        for _ in 0..60 {
            step(&mut rng, &mut world, &mut truth);
            for target in TARGETS {
                // A configuration in force is whole at every moment.
                if let ConfigUpdate::Ready(snapshot) = world.latest(target) {
                    assert!(snapshot.clusters.keys().eq(snapshot.routes.clusters()));
                    assert!(!snapshot.clusters.values().any(|entry| matches!(entry,
                        ClusterEntry::Unavailable(why) if why.contains("not known yet"))));
                }
            }
        }
        // The control plane recovers, says everything there is to say, and everybody listens.
        for (i, target) in TARGETS.into_iter().enumerate() {
            truth.listeners.entry(target).or_insert(ROUTES[i]);
            world.graph.watch(target);
        }
        for name in ROUTES {
            truth.routes.entry(name).or_insert_with(|| vec!["c0", "c3"]);
        }
        for (i, name) in CLUSTERS.into_iter().enumerate() {
            truth.clusters.entry(name).or_insert(SERVICES[i]);
        }
        for name in SERVICES {
            truth.endpoints.entry(name).or_insert(1);
        }
        world.connection(None);
        truth.say(&mut world);
        let mut needed: Vec<String> = Vec::new();
        for target in TARGETS {
            check(&world, &truth, target);
            let routes = truth.listeners[target];
            needed.extend([
                format!("Listener {target}"),
                format!("RouteConfiguration {routes}"),
            ]);
            for cluster in &truth.routes[routes] {
                let service = truth.clusters[cluster];
                needed.push(format!("Cluster {cluster}"));
                needed.push(format!("ClusterLoadAssignment {service}"));
            }
        }
        needed.sort_unstable();
        needed.dedup();
        let mut subscribed = world.subscribed();
        subscribed.sort_unstable();
        assert_eq!(
            subscribed, needed,
            "all that can be reached, and nothing else"
        );
        for target in TARGETS {
            world.graph.unwatch(target);
        }
        world.turn();
        assert_eq!(world.subscribed(), [""; 0]);
        assert!(world.graph.is_empty(), "{:?}", world.graph);
    }
}
