//! Snapshots published one after another while requests are decided, as a mesh applies them.

use std::{collections::HashMap, sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use mesh_core::{
    config::{ClusterSnapshot, ConfigErrors, Snapshot},
    entropy::Entropy,
    filter::FilterRegistry,
    name::ClusterName,
    policy::head::RequestHead,
    runtime::{ClusterRuntime, Outcome, Pick, Registry, View},
};

use crate::world::{self, Change, Request};

/// What readers and the writer share.
#[derive(Debug)]
pub struct Published {
    view: ArcSwap<View<()>>,
    entropy: Entropy,
}

/// Live clusters, each with what it was given last.
type Live = HashMap<ClusterName, (ClusterSnapshot, Arc<ClusterRuntime<()>>)>;

/// The writer.
#[derive(Debug)]
pub struct Publisher {
    published: Arc<Published>,
    registry: Registry,
    live: Live,
    // Published in turn.
    snapshots: [Snapshot; 2],
    turn: usize,
}

impl Publisher {
    /// Two snapshots that differ in `change`, of which the first is published.
    ///
    /// # Errors
    /// The snapshots' errors; there are none.
    pub fn new(change: Change) -> Result<Self, ConfigErrors> {
        let snapshots = world::changing(change)?;
        let registry = Registry::default();
        let mut live = HashMap::new();
        let view = build(&snapshots[0], None, &registry, &mut live);
        let published = Published {
            view: ArcSwap::from_pointee(view),
            entropy: Entropy::system(),
        };
        Ok(Self {
            published: Arc::new(published),
            registry,
            live,
            snapshots,
            turn: 0,
        })
    }

    /// What readers decide by.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published)
    }

    /// Publishes the other snapshot.
    pub fn publish(&mut self) {
        self.turn += 1;
        let [applied, snapshot] = [self.turn - 1, self.turn].map(|turn| &self.snapshots[turn % 2]);
        let before = self.published.view.load_full();
        let live = &mut self.live;
        let registry = &self.registry;
        if before.refresh(applied, snapshot, |given| find(given, registry, live)) {
            return;
        }
        let view = build(snapshot, Some(&before), &self.registry, &mut self.live);
        if !before.same(&view) {
            self.published.view.store(Arc::new(view));
        }
    }
}

fn build(
    snapshot: &Snapshot,
    before: Option<&View<()>>,
    registry: &Registry,
    live: &mut Live,
) -> View<()> {
    let find = |given: &ClusterSnapshot| find(given, registry, live);
    View::build(snapshot, &FilterRegistry::default(), before, find, |_| None)
}

/// The live cluster, brought up to date.
fn find(given: &ClusterSnapshot, registry: &Registry, live: &mut Live) -> Arc<ClusterRuntime<()>> {
    let (now, name) = (Instant::now(), &given.config.name);
    if let Some((last, cluster)) = live.get_mut(name) {
        if !last.same(given) {
            cluster.update(given, now);
            cluster.rebuild(now);
            *last = given.clone();
        }
        return Arc::clone(cluster);
    }
    let cluster = Arc::new(ClusterRuntime::new(given, registry, now));
    cluster.rebuild(now);
    // One that no request has asked for would sleep: an update would cost next to nothing.
    drop(cluster.pick(&Entropy::system()));
    live.insert(name.clone(), (given.clone(), Arc::clone(&cluster)));
    cluster
}

impl Published {
    /// Decides for one request, and lets it end well at once. Whether an endpoint was found.
    pub fn decide(&self, request: Request<'_>) -> bool {
        let head = RequestHead::new(request.method, request.uri, request.headers);
        let chosen = self.view.load().decide(&head, self.entropy.draw());
        let Ok(chosen) = chosen else { return false };
        let Pick::Use(mut picked) = chosen.cluster.pick(&self.entropy) else {
            return false;
        };
        picked.guard.record(Outcome::Success);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Requests;

    #[test]
    fn readers_find_an_endpoint_under_every_snapshot() {
        for change in Change::ALL {
            let mut publisher = Publisher::new(change).unwrap();
            let published = publisher.published();
            let requests = Requests::new(0..change.clusters());
            for index in 0..10 {
                assert!(published.decide(requests.get(index)), "{change:?}");
                publisher.publish();
                assert!(published.decide(requests.get(index)), "{change:?}");
            }
        }
    }

    #[test]
    fn snapshots_differ_in_one_thing() {
        for (change, clusters, routes) in [
            (Change::Endpoint, 1, false),
            (Change::Endpoints, 1, false),
            (Change::EndpointOfMany, 1, false),
            (Change::Routes, 0, true),
        ] {
            let [one, other] = world::changing(change).unwrap();
            let pairs = one.clusters.values().zip(other.clusters.values());
            let differing = pairs.filter(|(one, other)| !one.same(other)).count();
            assert_eq!(differing, clusters, "{change:?}");
            assert_eq!(
                !Arc::ptr_eq(&one.routes, &other.routes),
                routes,
                "{change:?}"
            );
        }
    }
}
