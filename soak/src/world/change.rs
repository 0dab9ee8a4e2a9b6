//! What changes, each kind in a task of its own.

use std::{sync::Arc, time::Duration};

use mesh_testkit::{Seeded, control::EDS, xds};
use tokio::time::{sleep, timeout};
use tonic::Status;

use super::{CLUSTERS, SERVERS, TARGETS, Wire, World};

/// How long a cluster may take until it is well again: longer than the control plane is ever away,
/// with the back-off after that.
const WELL: Duration = Duration::from_secs(30);
/// How long connections to a server that drains may stay.
const DRAINED: Duration = Duration::from_secs(30);

async fn pause(random: &mut Seeded, millis: std::ops::Range<u64>) {
    sleep(Duration::from_millis(random.in_range(millis))).await;
}

/// Routes of a target: other weights, policies and neighbours each time, and always the same calls
/// that succeed.
pub(super) fn routes(
    random: &mut Seeded,
    target: &str,
    wire: Wire,
    clusters: &[&str],
) -> xds::RouteConfigBuilder {
    let weight = u32::try_from(random.in_range(5..96)).unwrap_or(50);
    let on = match wire {
        Wire::Grpc => "unavailable,cancelled",
        Wire::Http1 | Wire::Http2 => "5xx,reset,connect-failure,refused-stream",
    };
    let base = Duration::from_millis(random.in_range(2..10));
    let retry = xds::retry(on, 4).backoff(base, base * 10);
    let split = xds::split(&[(clusters[0], weight), (clusters[1], 100 - weight)]);
    let mut split = split.timeout(Duration::from_secs(random.in_range(15..30)));
    let of_route = random.percent(50);
    if of_route {
        split = split.retry(retry.clone());
    }
    let neighbours = random.in_range(0..20);
    let neighbour = |number| xds::to(clusters[0]).path(&format!("/other/{number}"));
    let mut all: Vec<_> = (0..neighbours).map(neighbour).collect();
    all.push(split);
    let routes = xds::route_config(&format!("{target}-routes")).host(&["*"], all);
    match of_route {
        true => routes,
        false => routes.retry(retry),
    }
}

/// Flips the policy of a target.
pub(super) async fn policy(world: Arc<World>, target: usize, mut random: Seeded) {
    let (name, wire) = TARGETS[target];
    let clusters = &CLUSTERS[2 * target..2 * target + 2];
    while !world.is_calm() {
        world.plane.set(routes(&mut random, name, wire, clusters));
        world.count("policy");
        pause(&mut random, 10..60).await;
    }
}

/// Names the servers of a cluster, but for one.
fn publish(world: &World, cluster: usize, without: Option<usize>) {
    let servers = world.clusters[cluster].iter().enumerate();
    let named = servers.filter(|(place, _)| Some(*place) != without);
    let sockets: Vec<_> = named.map(|(_, server)| server.socket()).collect();
    world.plane.set(xds::endpoints(CLUSTERS[cluster], &sockets));
}

/// Disturbs one server of a cluster after the other.
pub(super) async fn servers(world: Arc<World>, cluster: usize, mut random: Seeded) {
    let servers = &world.clusters[cluster];
    while !world.is_calm() {
        if timeout(WELL, is_well(&world, cluster)).await.is_err() {
            world.count("stuck");
        }
        let place = usize::try_from(random.in_range(0..SERVERS as u64)).unwrap_or(0);
        let server = &servers[place];
        match random.in_range(0..6) {
            0 => {
                server.disconnect().await;
                world.count("cut");
            }
            1 => {
                server.goaway();
                world.count("goaway");
            }
            2 => {
                server.stop().await;
                pause(&mut random, 1..500).await;
                server.restart().await;
                world.count("killed");
            }
            3 => {
                publish(&world, cluster, Some(place));
                if timeout(DRAINED, server.drain()).await.is_err() {
                    world.count("stuck");
                }
                server.restart().await;
                publish(&world, cluster, None);
                world.count("drained");
            }
            4 => {
                server.restart().await;
                world.count("restarted");
            }
            _ => {
                publish(&world, cluster, Some(place));
                pause(&mut random, 1..100).await;
                publish(&world, cluster, None);
                world.count("endpoints");
            }
        }
        pause(&mut random, 100..300).await;
    }
}

/// Waits until the mesh knows all servers of a cluster and has connections to each: of three, never
/// more than one is disturbed.
async fn is_well(world: &World, cluster: usize) {
    let known = || {
        let subscribed = world.plane.subscribed(EDS);
        subscribed.contains(CLUSTERS[cluster]) && world.plane.is_acked(EDS)
    };
    let connected = || world.clusters[cluster].iter().all(|it| it.open() > 0);
    for round in 1_u32.. {
        if known() && connected() {
            return;
        }
        if round.is_multiple_of(50) {
            // A client of deltas that comes back with all that there is need not say so.
            publish(world, cluster, None);
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// Disturbs the control plane.
pub(super) async fn plane(world: Arc<World>, mut random: Seeded) {
    while !world.is_calm() {
        pause(&mut random, 300..2_000).await;
        match random.in_range(0..5) {
            0 => {
                world.plane.stop().await;
                pause(&mut random, 1..1_500).await;
                world.plane.restart().await;
                world.count("plane restarted");
            }
            1 => {
                world.plane.disconnect_all().await;
                world.count("plane cut");
            }
            2 => {
                world.plane.goaway();
                world.count("plane goaway");
            }
            3 => {
                world.plane.end_streams(Status::unavailable("rolling over"));
                world.count("streams ended");
            }
            _ => {
                world.plane.refuse_streams(true);
                world.plane.end_streams(Status::unavailable("overloaded"));
                pause(&mut random, 1..1_000).await;
                world.plane.refuse_streams(false);
                world.count("streams refused");
            }
        }
    }
}
