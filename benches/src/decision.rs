//! What the mesh decides for each request: route, cluster, endpoint, limits.

use std::{sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use mesh_core::{
    entropy::Entropy,
    filter::FilterRegistry,
    policy::head::RequestHead,
    runtime::{ClusterRuntime, Outcome, Pick, Registry, View},
};

use crate::{
    tally::Tally,
    world::{self, Lb, Request},
};

/// A view and its live clusters, as the stack holds them.
#[derive(Debug)]
pub struct Decision {
    view: ArcSwap<View<()>>,
    entropy: Entropy,
    tally: Tally,
}

impl Decision {
    /// With as many prefix routes, and as many endpoints in each of two clusters.
    ///
    /// # Errors
    /// The snapshot's errors; there are none.
    pub fn new(
        routes: usize,
        endpoints: usize,
        lb: Lb,
    ) -> Result<Self, mesh_core::config::ConfigErrors> {
        let snapshot = world::decision(routes, endpoints, lb)?;
        let (registry, now) = (Registry::default(), Instant::now());
        let live = |cluster: &_| Arc::new(ClusterRuntime::new(cluster, &registry, now));
        let view = View::build(&snapshot, &FilterRegistry::default(), None, live, |_| None);
        Ok(Self {
            view: ArcSwap::from_pointee(view),
            entropy: Entropy::system(),
            tally: Tally::default(),
        })
    }

    /// Decides for one request, and lets it end well at once. Whether an endpoint was found.
    pub fn decide(&self, request: Request<'_>) -> bool {
        self.tally.request(|| self.find(request))
    }

    fn find(&self, request: Request<'_>) -> bool {
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
    use http::HeaderMap;

    use super::*;
    use crate::{fused::Fused, world::Requests};

    #[test]
    fn every_request_finds_an_endpoint_and_none_is_left_under_way() {
        for lb in [Lb::RoundRobin, Lb::LeastRequest] {
            let mesh = Decision::new(100, 5, lb).unwrap();
            let fused = Fused::new(100, 5, lb);
            let requests = Requests::new(0..=100);
            for index in 0..100 {
                assert!(mesh.decide(requests.get(index)));
                assert!(fused.decide(requests.get(index)));
            }
            let without = HeaderMap::new();
            let headers = &without;
            for none in [
                requests.get(100),
                Request {
                    headers,
                    ..requests.get(1)
                },
            ] {
                assert!(!mesh.decide(none));
                assert!(!fused.decide(none));
            }
            assert_eq!(mesh.tally.counts(), (102, 100));
            assert_eq!(fused.counts(), (102, 100));
            let view = mesh.view.load();
            let states = view.clusters().map(|(_, slot)| match slot {
                mesh_core::runtime::ClusterSlot::Live(cluster) => cluster.state().in_flight(),
                mesh_core::runtime::ClusterSlot::Unavailable(reason) => panic!("{reason}"),
            });
            assert_eq!(states.sum::<u32>(), 0);
            assert_eq!(fused.in_flight(), 0);
        }
    }
}
