//! Which endpoints are used: by priority, health and locality.

use std::time::Duration;

use mesh_proto::envoy::config::core::v3::HealthStatus;
use mesh_testkit::{black_hole, xds};

use crate::support::{Backend, Call, Load, ROUTES, Setup, World, within};

/// A world whose cluster `c` gets its endpoints from the test.
async fn world(setup: Setup, endpoints: xds::EndpointsBuilder) -> World {
    let world = World::start(setup).await;
    let retry = xds::retry(setup.pick("unavailable", "connect-failure,reset"), 2);
    let routes = xds::route_config(ROUTES).host(&["*"], [xds::to("c").retry(retry)]);
    world.plane.set((
        xds::listener(crate::support::TARGET, ROUTES),
        routes,
        world.cluster("c"),
        endpoints,
    ));
    world.client.ready().await;
    world
}

fn priorities(first: &Backend, health: HealthStatus, second: &Backend) -> xds::EndpointsBuilder {
    let first = xds::locality("first")
        .endpoint(first.socket())
        .health(health);
    let second = xds::locality("second")
        .priority(1)
        .endpoint(second.socket());
    xds::no_endpoints("c").locality(first).locality(second)
}

/// Both dialects believe what the control plane says of health.
async fn the_second_priority_serves_while_the_first_is_unhealthy(setup: Setup) {
    let [p0, p1] = ["p0", "p1"].map(|id| Backend::start(setup, id));
    let world = world(setup, priorities(&p0, HealthStatus::Healthy, &p1)).await;
    let mut load = Load::start(&world.client, Call::new()).await;
    load.window(40).await.assert_only(&["p0"]);
    for bad in [
        HealthStatus::Unhealthy,
        HealthStatus::Timeout,
        HealthStatus::Draining,
    ] {
        world.plane.set(priorities(&p0, bad, &p1));
        load.until_only(&["p1"]).await;
        world.plane.set(priorities(&p0, HealthStatus::Healthy, &p1));
        load.until_only(&["p0"]).await;
    }
    load.finish().await;
}

/// gRPC looks at connections as well (gRFC A56).
#[tokio::test]
async fn the_second_priority_serves_while_the_first_is_dead() {
    let setup = Setup::GRPC;
    let [p0, p1] = ["p0", "p1"].map(|id| Backend::start(setup, id));
    let world = world(setup, priorities(&p0, HealthStatus::Healthy, &p1)).await;
    let mut load = Load::start(&world.client, Call::new()).await;
    load.window(40).await.assert_only(&["p0"]);
    assert_eq!(p1.connections(), 0);
    p0.stop().await;
    load.until_only(&["p1"]).await;
    p0.restart().await;
    load.until_only(&["p0"]).await;
    load.finish().await;
}

/// The first priority neither answers nor fails: after 10 s the second gets its chance.
#[tokio::test]
async fn the_second_priority_serves_when_the_first_takes_too_long() {
    let setup = Setup::GRPC;
    let p1 = Backend::start(setup, "p1");
    let silent = black_hole();
    let world = World::start(setup).await;
    let first = xds::locality("first").endpoint(silent.socket());
    let second = xds::locality("second").priority(1).endpoint(p1.socket());
    world.plane.set((
        xds::listener(crate::support::TARGET, ROUTES),
        xds::routes(ROUTES, &[("c", 1)]),
        world.cluster("c").connect_timeout(Duration::from_secs(60)),
        xds::no_endpoints("c").locality(first).locality(second),
    ));
    let reply = within("the second priority", world.client.call(&Call::new())).await;
    assert_eq!(reply.unwrap().server, "p1");
}

async fn unhealthy_endpoints_are_left_alone(setup: Setup) {
    let backends = ["healthy", "unknown", "unhealthy", "timeout", "draining"];
    let backends = backends.map(|id| Backend::start(setup, id));
    let statuses = [
        HealthStatus::Healthy,
        HealthStatus::Unknown,
        HealthStatus::Unhealthy,
        HealthStatus::Timeout,
        HealthStatus::Draining,
    ];
    let mut local = xds::locality("local");
    for (backend, status) in backends.iter().zip(statuses) {
        local = local.endpoint(backend.socket()).health(status);
    }
    // With a factor of 100 and two of four healthy, dialect envoy is just above its panic threshold.
    let endpoints = xds::no_endpoints("c").locality(local);
    let world = world(setup, endpoints).await;
    let mut load = Load::start(&world.client, Call::new()).await;
    load.window(100).await.assert_only(&["healthy", "unknown"]);
    load.finish().await;
    for backend in &backends[2..] {
        assert_eq!(backend.connections(), 0);
    }
}

async fn localities_share_by_weight(setup: Setup) {
    let [heavy, light] = ["heavy", "light"].map(|id| Backend::start(setup, id));
    let of = |zone: &str, weight, backend: &Backend| {
        xds::locality(zone)
            .locality_weight(weight)
            .endpoint(backend.socket())
    };
    let endpoints = xds::no_endpoints("c")
        .locality(of("heavy", 3, &heavy))
        .locality(of("light", 1, &light));
    let world = World::start(setup).await;
    let cluster = world.cluster("c").edit(|cluster| {
        use mesh_proto::envoy::config::cluster::v3::cluster::{
            CommonLbConfig,
            common_lb_config::{LocalityConfigSpecifier, LocalityWeightedLbConfig},
        };
        // Envoy looks at the weights of localities only where it is told to.
        let weighted = LocalityWeightedLbConfig::default();
        let specifier = LocalityConfigSpecifier::LocalityWeightedLbConfig(weighted);
        cluster.common_lb_config = Some(CommonLbConfig {
            locality_config_specifier: Some(specifier),
            ..CommonLbConfig::default()
        });
    });
    world.plane.set((
        xds::listener(crate::support::TARGET, ROUTES),
        xds::routes(ROUTES, &[("c", 1)]),
        cluster,
        endpoints,
    ));
    world.client.ready().await;
    // Over gRPC all connections are made first; calls before that may go to whichever is there.
    let mut load = Load::start(&world.client, Call::new()).await;
    load.until_only(&["heavy", "light"]).await;
    load.finish().await;
    let (heavy_before, light_before) = (heavy.count(), light.count());
    for _ in 0..400 {
        world.client.call(&Call::new()).await.unwrap();
    }
    let share = (heavy.count() - heavy_before) as f64;
    assert_eq!(share as u64 + light.count() - light_before, 400);
    // Five standard deviations of 400 draws.
    let slack = 5.0 * (400.0_f64 * 0.75 * 0.25).sqrt();
    assert!((share - 300.0).abs() <= slack, "{share} of 400");
}

on_each_wire!(
    the_second_priority_serves_while_the_first_is_unhealthy,
    unhealthy_endpoints_are_left_alone,
    localities_share_by_weight,
);
