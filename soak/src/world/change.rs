//! What is disturbed: servers, and the control plane.

use std::{sync::Arc, time::Duration};

use mesh_testkit::{Seeded, control::EDS, xds};
use tokio::time::{sleep, timeout};
use tonic::Status;

use super::{CLUSTERS, SERVERS, WELL, World, pause};

/// How long connections to a server that drains may stay.
const DRAINED: Duration = Duration::from_secs(30);

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
        match random.in_range(0..8) {
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
            4 => {
                world
                    .plane
                    .delay(Duration::from_millis(random.in_range(1..100)));
                pause(&mut random, 1..1_000).await;
                world.plane.delay(Duration::ZERO);
                world.count("plane slow");
            }
            5 => {
                world.plane.duplicate_responses(true);
                pause(&mut random, 1..1_000).await;
                world.plane.duplicate_responses(false);
                world.count("plane twice");
            }
            6 => {
                let _alone = world.heard.write().await;
                world.plane.drop_next_responses(3);
                pause(&mut random, 1..500).await;
                world.plane.drop_next_responses(0);
                // A client of increments hears on a new stream what it has missed.
                world
                    .plane
                    .end_streams(Status::unavailable("responses were lost"));
                world.count("plane silent");
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
