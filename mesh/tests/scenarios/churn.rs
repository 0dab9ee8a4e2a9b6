//! Endpoints that come and go while calls run: none of them fails.

use mesh_testkit::{Seeded, control::EDS, xds};

use crate::support::{Backend, Call, Load, Setup, World};

const ROUNDS: usize = 100;

async fn a_hundred_sets_of_endpoints(setup: Setup) {
    let mut random = Seeded::new(11);
    let backends: Vec<_> = (0..6)
        .map(|n| Backend::start(setup, &format!("s{n}")))
        .collect();
    let world = World::serving(setup, &[&backends[0]]).await;
    let mut load = Load::start(&world.client, Call::new()).await;
    let mut ids: Vec<usize> = (0..backends.len()).collect();
    for round in 0..ROUNDS {
        random.shuffle(&mut ids);
        let count = random.in_range(1..ids.len() as u64 + 1) as usize;
        let chosen: Vec<_> = ids[..count]
            .iter()
            .map(|id| backends[*id].socket())
            .collect();
        world.plane.set(xds::endpoints("a", &chosen));
        // Sometimes several sets come at once, sometimes each is in use for a while.
        if round % 3 == 0 {
            load.progress(random.in_range(1..20)).await;
        }
    }
    ids.truncate(1);
    world
        .plane
        .set(xds::endpoints("a", &[backends[ids[0]].socket()]));
    world.plane.wait_acked(EDS).await;
    load.until_only(&[&format!("s{}", ids[0])]).await;
    load.finish().await;
}

/// As a rolling deployment has it: a new one comes, the old one is taken out, and then ends.
async fn a_rolling_replacement(setup: Setup) {
    let mut old = Backend::start(setup, "s0");
    let world = World::serving(setup, &[&old]).await;
    let mut load = Load::start(&world.client, Call::new()).await;
    for round in 1..=12 {
        let id = format!("s{round}");
        let new = Backend::start(setup, &id);
        world
            .plane
            .set(xds::endpoints("a", &[old.socket(), new.socket()]));
        world.plane.wait_acked(EDS).await;
        world.plane.set(xds::endpoints("a", &[new.socket()]));
        load.until_only(&[&id]).await;
        old.drain().await;
        old = new;
    }
    load.finish().await;
}

/// Clusters come and go with every change of the routes.
async fn a_hundred_routes(setup: Setup) {
    let backends = ["x", "y", "z"].map(|id| Backend::start(setup, id));
    let [x, y, z] = &backends;
    let world = World::serving(setup, &[x]).await;
    let mut load = Load::start(&world.client, Call::new()).await;
    let mut random = Seeded::new(5);
    let all: &[(&str, &[&Backend])] = &[("x", &[x]), ("y", &[y]), ("z", &[z])];
    let names = ["x", "y", "z"];
    for _ in 0..ROUNDS {
        let shares = names.map(|name| (name, random.in_range(0..3) as u32));
        let shares: Vec<_> = shares.into_iter().filter(|(_, share)| *share > 0).collect();
        if !shares.is_empty() {
            world.publish(xds::routes(crate::support::ROUTES, &shares), all);
            load.progress(random.in_range(1..6)).await;
        }
    }
    let last = *random.pick(&names);
    world.publish(xds::routes(crate::support::ROUTES, &[(last, 1)]), all);
    load.until_only(&[last]).await;
    load.finish().await;
}

on_each_wire_and_variant!(
    a_hundred_sets_of_endpoints,
    a_rolling_replacement,
    a_hundred_routes
);
