//! The same decision fused by hand over plain data: what the work itself costs.
//!
//! It knows one virtual host, prefixes of which none begins another, one header condition a route, two
//! weighted clusters and one locality; the mesh knows none of that in advance.

use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use arc_swap::ArcSwap;
use http::HeaderName;

use crate::{
    tally::Tally,
    world::{self, AUTHORITY, HEADER, Lb, Request, WEIGHTS},
};

/// The counterpart of [`Decision`](crate::decision::Decision).
#[derive(Debug)]
pub struct Fused {
    view: ArcSwap<View>,
    tally: Tally,
}

#[derive(Debug)]
struct View {
    // By prefix.
    routes: Vec<(Box<str>, Arc<Route>)>,
    clusters: [Arc<Cluster>; 2],
}

#[derive(Debug)]
struct Route {
    header: (HeaderName, Box<str>),
    // Cumulative weights.
    ends: [u64; 2],
}

#[derive(Debug)]
struct Cluster {
    set: ArcSwap<Vec<Arc<Endpoint>>>,
    lb: Lb,
    turn: AtomicUsize,
    requests: AtomicU32,
    max_requests: u32,
}

#[derive(Debug, Default)]
struct Endpoint {
    in_flight: AtomicU32,
    successes: AtomicU64,
}

/// A request under way.
struct Guard {
    cluster: Arc<Cluster>,
    endpoint: Arc<Endpoint>,
}

impl Fused {
    /// With as many prefix routes, and as many endpoints in each of two clusters.
    #[must_use]
    pub fn new(routes: usize, endpoints: usize, lb: Lb) -> Self {
        let ends = [
            u64::from(WEIGHTS[0]),
            u64::from(WEIGHTS[0]) + u64::from(WEIGHTS[1]),
        ];
        let route = |index| {
            let header = (HeaderName::from_static(HEADER.0), HEADER.1.into());
            let route = Arc::new(Route { header, ends });
            (world::prefix(index).into(), route)
        };
        let mut routes: Vec<_> = (0..routes).map(route).collect();
        routes.sort_by(|(a, _), (b, _): &(Box<str>, _)| a.cmp(b));
        let cluster = || {
            Arc::new(Cluster {
                set: ArcSwap::from_pointee((0..endpoints).map(|_| Arc::default()).collect()),
                lb,
                turn: AtomicUsize::new(0),
                requests: AtomicU32::new(0),
                max_requests: 1024,
            })
        };
        Self {
            view: ArcSwap::from_pointee(View {
                routes,
                clusters: [cluster(), cluster()],
            }),
            tally: Tally::default(),
        }
    }

    /// Decides for one request, and lets it end well at once. Whether an endpoint was found.
    pub fn decide(&self, request: Request<'_>) -> bool {
        self.tally.request(|| self.find(request))
    }

    fn find(&self, request: Request<'_>) -> bool {
        let draw = fastrand::u64(..);
        let view = self.view.load();
        let Some((route, cluster)) = view.select(request, draw) else {
            return false;
        };
        let picked = cluster.pick();
        // The request holds its route as long as it lives.
        drop(route);
        picked.is_some()
    }

    /// Requests under way; 0 whenever nobody is in [`Fused::decide`].
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        let view = self.view.load();
        view.clusters
            .iter()
            .map(|it| it.requests.load(Relaxed))
            .sum()
    }

    #[cfg(test)]
    pub(crate) fn counts(&self) -> (u64, u64) {
        self.tally.counts()
    }
}

impl View {
    fn select(&self, request: Request<'_>, draw: u64) -> Option<(Arc<Route>, &Arc<Cluster>)> {
        let uri = request.uri;
        if uri.authority()?.as_str() != AUTHORITY {
            return None;
        }
        let path = uri.path();
        let after = self.routes.partition_point(|(prefix, _)| **prefix <= *path);
        let (prefix, route) = self.routes.get(after.checked_sub(1)?)?;
        if !path.starts_with(&**prefix) {
            return None;
        }
        let (name, value) = &route.header;
        if request.headers.get(name)?.as_bytes() != value.as_bytes() {
            return None;
        }
        let point = draw % route.ends[1];
        let cluster = &self.clusters[usize::from(point >= route.ends[0])];
        Some((Arc::clone(route), cluster))
    }
}

impl Cluster {
    fn pick(self: &Arc<Self>) -> Option<Guard> {
        let set = self.set.load();
        let count = |now| (now < self.max_requests).then(|| now + 1);
        self.requests.fetch_update(Relaxed, Relaxed, count).ok()?;
        let place = |draw: u64| ((u128::from(draw) * set.len() as u128) >> 64) as usize;
        let endpoint = match self.lb {
            Lb::RoundRobin => &set[self.turn.fetch_add(1, Relaxed) % set.len()],
            Lb::LeastRequest => {
                let one = &set[place(fastrand::u64(..))];
                let other = &set[place(fastrand::u64(..))];
                if other.in_flight.load(Relaxed) < one.in_flight.load(Relaxed) {
                    other
                } else {
                    one
                }
            }
        };
        endpoint.in_flight.fetch_add(1, Relaxed);
        Some(Guard {
            cluster: Arc::clone(self),
            endpoint: Arc::clone(endpoint),
        })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.endpoint.in_flight.fetch_sub(1, Relaxed);
        self.cluster.requests.fetch_sub(1, Relaxed);
        self.endpoint.successes.fetch_add(1, Relaxed);
    }
}
