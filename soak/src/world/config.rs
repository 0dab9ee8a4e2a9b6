//! What changes in the configuration of a target: other routes, policies and clusters each time, and
//! always the same calls that succeed.

use std::{ops::Range, sync::Arc, time::Duration};

use mesh_proto::envoy::config::cluster::v3::cluster::LbPolicy;
use mesh_testkit::{
    Seeded,
    control::{CDS, EDS, RDS},
    xds,
};
use tokio::time::{sleep, timeout};

use super::{CLUSTERS, TARGETS, WELL, Wire, World, pause};

/// Far above what is needed: no limit is to be the reason for a failure.
const LIMIT: Range<u64> = 100_000..200_000;
/// What does not decode.
const BAD: &[u8] = &[0xff; 3];

/// A target and its two clusters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    name: &'static str,
    wire: Wire,
    clusters: [&'static str; 2],
}

impl Target {
    pub(super) fn of(number: usize) -> Self {
        let (name, wire) = TARGETS[number];
        let clusters = [CLUSTERS[2 * number], CLUSTERS[2 * number + 1]];
        Self {
            name,
            wire,
            clusters,
        }
    }

    fn routes_name(self) -> String {
        format!("{}-routes", self.name)
    }

    pub(super) fn listener(self) -> xds::ListenerBuilder {
        xds::listener(self.name, &self.routes_name())
    }

    /// Routes to its clusters, and to one more.
    pub(super) fn routes(self, random: &mut Seeded, more: Option<&str>) -> xds::RouteConfigBuilder {
        let weight = number(random, 5..96);
        let on = match self.wire {
            Wire::Grpc => "unavailable,cancelled",
            Wire::Http1 | Wire::Http2 => "5xx,reset,connect-failure,refused-stream",
        };
        let base = Duration::from_millis(random.in_range(2..10));
        let retry = xds::retry(on, 4).backoff(base, base * 10);
        let [first, second] = self.clusters;
        let mut weights = vec![(first, weight), (second, 100 - weight)];
        weights.extend(more.map(|name| (name, 20)));
        let split = xds::split(&weights);
        let mut split = split.timeout(Duration::from_secs(random.in_range(15..30)));
        let of_route = random.percent(50);
        if of_route {
            split = split.retry(retry.clone());
        }
        let neighbours = random.in_range(0..20);
        let neighbour = |number| xds::to(first).path(&format!("/other/{number}"));
        let mut all: Vec<_> = (0..neighbours).map(neighbour).collect();
        all.push(split);
        let routes = xds::route_config(&self.routes_name()).host(&["*"], all);
        match of_route {
            true => routes,
            false => routes.retry(retry),
        }
    }
}

/// A cluster, with a policy of balancing and limits.
pub(super) fn cluster(random: &mut Seeded, name: &str, wire: Wire) -> xds::ClusterBuilder {
    let policies = [
        LbPolicy::RoundRobin,
        LbPolicy::LeastRequest,
        LbPolicy::Random,
    ];
    let known = match wire {
        // gRPC has no policy of that name (A48).
        Wire::Grpc => 0..2,
        Wire::Http1 | Wire::Http2 => 0..3,
    };
    let policy = policies[usize::try_from(random.in_range(known)).unwrap_or(0)];
    let cluster = xds::cluster(name)
        .lb(policy)
        .connect_timeout(Duration::from_secs(random.in_range(5..10)))
        .max_requests(number(random, LIMIT))
        .max_pending(number(random, LIMIT))
        .max_retries(number(random, LIMIT))
        .max_connections(number(random, LIMIT));
    match wire {
        Wire::Http1 => cluster.http1(),
        Wire::Grpc | Wire::Http2 => cluster.http2(),
    }
}

/// Changes the configuration of a target.
pub(super) async fn change(world: Arc<World>, number: usize, mut random: Seeded) {
    let target = Target::of(number);
    let mut passed = 0;
    while !world.is_calm() {
        let either = usize::from(random.percent(50));
        let name = target.clusters[either];
        match random.in_range(0..16) {
            0 => {
                let bad = target.routes_name();
                world.plane.bad_resource(RDS, &bad, BAD);
                pause(&mut random, 10..60).await;
                world.plane.set(target.routes(&mut random, None));
                world.count("routes broken");
            }
            1 => {
                world.plane.bad_resource(CDS, name, BAD);
                pause(&mut random, 10..60).await;
                world.plane.set(cluster(&mut random, name, target.wire));
                world.count("cluster broken");
            }
            2 => {
                world.plane.set(cluster(&mut random, name, target.wire));
                world.count("cluster");
            }
            3 => {
                passed += 1;
                let name = format!("{}-passing-{passed}", target.name);
                pass(&world, number, &mut random, &name).await;
                world.count("cluster passed");
            }
            _ => {
                world.plane.set(target.routes(&mut random, None));
                world.count("routes");
            }
        }
        pause(&mut random, 10..60).await;
    }
}

/// Adds a cluster under a new name, for a while, and takes it away when nothing routes to it.
async fn pass(world: &World, number: usize, random: &mut Seeded, name: &str) {
    let _heard = world.heard.read().await;
    let target = Target::of(number);
    let endpoints = xds::endpoints(name, &[world.steady[number].socket()]);
    world
        .plane
        .set((cluster(random, name, target.wire), endpoints));
    world.plane.set(target.routes(random, Some(name)));
    pause(random, 10..200).await;
    world.plane.set(target.routes(random, None));
    let left = async {
        for round in 1_u32.. {
            sleep(Duration::from_millis(5)).await;
            // The mesh has a stream for each dialect: that of this target may be the one that is lost.
            let subscribed = world.plane.subscribed(RDS);
            if subscribed.contains(&target.routes_name()) && world.plane.is_acked(RDS) {
                return;
            }
            if round.is_multiple_of(100) {
                // A client of deltas that comes back with all that there is need not say so.
                world.plane.set(target.routes(random, None));
            }
        }
    };
    if timeout(WELL, left).await.is_err() {
        world.count("stuck");
    }
    world.plane.remove(CDS, name);
    world.plane.remove(EDS, name);
}

fn number(random: &mut Seeded, range: Range<u64>) -> u32 {
    u32::try_from(random.in_range(range)).unwrap_or(u32::MAX)
}
