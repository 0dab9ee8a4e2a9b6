//! What a request does for which there is no endpoint, or no configuration: it fails at once or
//! waits as it is told, and says what was missing.

use std::time::Duration;

use mesh_core::ErrorKind;
use mesh_testkit::{
    control::{CDS, EDS, LDS, RDS},
    xds,
};
use tonic::Code;

use crate::support::{Backend, Call, Failure, NODE, ROUTES, Setup, TARGET, World, within};

const SHORT: Duration = Duration::from_millis(50);

async fn fails(world: &World, call: Call) -> Failure {
    let answer = within("an answer", world.client.call(&call)).await;
    answer.expect_err("nothing to answer")
}

async fn a_cluster_without_endpoints_fails_at_once(setup: Setup) {
    let backend = Backend::start(setup, "a");
    let world = World::start(setup).await;
    world.publish(xds::routes(ROUTES, &[("a", 1)]), &[("a", &[])]);
    // Neither has a deadline that could end it.
    let failure = fails(&world, Call::new()).await;
    failure.assert(
        ErrorKind::NoEndpoint,
        Code::Unavailable,
        &["cluster a", TARGET],
    );

    // One that waits does so until its deadline, and is served if an endpoint comes.
    let failure = fails(&world, Call::new().wait_for_ready().timeout(SHORT)).await;
    failure.assert(ErrorKind::StreamDeadline, Code::DeadlineExceeded, &[]);
    let client = world.client.clone();
    let waiting = tokio::spawn(async move { client.call(&Call::new().wait_for_ready()).await });
    world.plane.set(xds::endpoints("a", &[backend.socket()]));
    let reply = within("the endpoint", waiting).await.unwrap();
    assert_eq!(reply.unwrap().server, "a");

    world.plane.set(xds::no_endpoints("a"));
    world.until("the endpoint to go", Result::is_err).await;
    let failure = fails(&world, Call::new()).await;
    failure.assert(ErrorKind::NoEndpoint, Code::Unavailable, &["cluster a"]);
}

async fn a_cluster_that_does_not_exist_is_named(setup: Setup) {
    let backend = Backend::start(setup, "a");
    let world = World::start(setup).await;
    let routes = xds::route_config(ROUTES).host(
        &["*"],
        [xds::to("gone").header("x-to", "gone"), xds::to("a")],
    );
    world.publish(routes, &[("a", &[&backend])]);
    world
        .plane
        .resource_error(CDS, "gone", Code::NotFound, "no such cluster");
    let reply = within("the other cluster", world.client.call(&Call::new())).await;
    assert_eq!(reply.unwrap().server, "a");
    let failure = fails(&world, Call::new().header("x-to", "gone")).await;
    failure.assert(
        ErrorKind::NoCluster,
        Code::Unavailable,
        &["gone", NODE, "no such cluster"],
    );
}

/// The text of a request that found no configuration in time.
async fn missing(world: &World) -> String {
    let failure = fails(world, Call::new().timeout(SHORT)).await;
    failure.assert(
        ErrorKind::StreamDeadline,
        Code::DeadlineExceeded,
        &[NODE, TARGET],
    );
    failure.text
}

async fn what_is_missing_is_named(setup: Setup) {
    let backend = Backend::start(setup, "a");
    let world = World::start(setup).await;
    let at = world.plane.socket().to_string();

    // Asked for, and never answered.
    let asks = |type_url: &'static str, name: &'static str| {
        let plane = &world.plane;
        plane.wait_for("a question", move |plane| {
            plane.subscribed(type_url).contains(name)
        })
    };
    asks(LDS, TARGET).await;
    let text = missing(&world).await;
    assert!(
        text.contains("waiting for Listener \"shop\"") && text.contains(&at),
        "{text}"
    );

    world.plane.set(xds::listener(TARGET, ROUTES));
    asks(RDS, ROUTES).await;
    let text = missing(&world).await;
    assert!(
        text.contains("RouteConfiguration \"shop-routes\""),
        "{text}"
    );

    world.plane.set(xds::routes(ROUTES, &[("a", 1)]));
    asks(CDS, "a").await;
    let text = missing(&world).await;
    assert!(text.contains("Cluster \"a\""), "{text}");

    world
        .plane
        .set(world.cluster("a").endpoints_from("a-endpoints"));
    asks(EDS, "a-endpoints").await;
    let text = missing(&world).await;
    assert!(
        text.contains("ClusterLoadAssignment \"a-endpoints\""),
        "{text}"
    );

    let client = world.client.clone();
    let waiting = tokio::spawn(async move { client.call(&Call::new()).await });
    world
        .plane
        .set(xds::endpoints("a-endpoints", &[backend.socket()]));
    let reply = within("the configuration", waiting).await.unwrap();
    assert_eq!(reply.unwrap().server, "a");
}

async fn a_control_plane_that_cannot_be_reached_is_named(setup: Setup) {
    let world = World::start(setup).await;
    world.plane.stop().await;
    let at = world.plane.socket().to_string();
    let text = missing(&world).await;
    assert!(text.contains(&at) && text.contains("refused"), "{text}");
}

/// A request without a deadline waits 15 s, and so does the question for a resource: whichever ends
/// first, the request learns that the listener never came. The clock stands still once both wait.
async fn a_request_without_a_deadline_waits_fifteen_seconds(setup: Setup) {
    let world = World::start(setup).await;
    world
        .plane
        .wait_for("a question", |plane| plane.request_count(LDS) > 0)
        .await;
    let client = world.client.clone();
    let call = tokio::spawn(async move { client.call(&Call::new()).await });
    tokio::task::yield_now().await;
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let failure = call.await.unwrap().expect_err("no configuration");
    failure.assert(
        ErrorKind::NotReady,
        Code::Unavailable,
        &["Listener \"shop\"", NODE],
    );
    let waited = tokio::time::Instant::now() - start;
    let fifteen = Duration::from_secs(14)..Duration::from_secs(16);
    assert!(fifteen.contains(&waited), "{waited:?}");
}

async fn a_listener_that_is_taken_away_takes_its_calls_with_it(setup: Setup) {
    let backend = Backend::start(setup, "a");
    let world = World::serving(setup, &[&backend]).await;
    world.client.call(&Call::new()).await.unwrap();
    world.plane.remove(LDS, TARGET);
    world.until("the listener to go", Result::is_err).await;
    let failure = fails(&world, Call::new()).await;
    let says = ["Listener \"shop\" does not exist", NODE];
    failure.assert(ErrorKind::NotReady, Code::Unavailable, &says);

    world.plane.set(xds::listener(TARGET, ROUTES));
    world
        .until("the listener to come back", Result::is_ok)
        .await;
}

async fn a_listener_that_is_refused_fails_its_calls_at_once(setup: Setup) {
    let world = World::start(setup).await;
    world
        .plane
        .resource_error(LDS, TARGET, Code::NotFound, "nobody sells that");
    let failure = fails(&world, Call::new()).await;
    let says = ["Listener \"shop\"", "nobody sells that", NODE];
    failure.assert(ErrorKind::NotReady, Code::Unavailable, &says);
}

async fn a_listener_that_is_invalid_fails_its_calls_at_once(setup: Setup) {
    let world = World::start(setup).await;
    let listener = xds::listener(TARGET, ROUTES);
    world
        .plane
        .set(listener.edit(|manager| manager.route_specifier = None));
    let failure = fails(&world, Call::new()).await;
    let says = ["Listener \"shop\"", "api_listener", NODE];
    failure.assert(ErrorKind::NotReady, Code::Unavailable, &says);
    let why = world.plane.wait_nacked(LDS, 1).await;
    assert!(
        why.contains("\"shop\"") && why.contains("api_listener"),
        "{why}"
    );
}

on_each_wire_and_variant!(
    what_is_missing_is_named,
    a_request_without_a_deadline_waits_fifteen_seconds,
    a_listener_that_is_taken_away_takes_its_calls_with_it,
    a_listener_that_is_refused_fails_its_calls_at_once,
    a_listener_that_is_invalid_fails_its_calls_at_once,
    a_cluster_that_does_not_exist_is_named,
);

mod without_endpoints {
    use super::{
        a_cluster_without_endpoints_fails_at_once, a_control_plane_that_cannot_be_reached_is_named,
    };

    on_each_wire!(
        a_cluster_without_endpoints_fails_at_once,
        a_control_plane_that_cannot_be_reached_is_named,
    );
}
