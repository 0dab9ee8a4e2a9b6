//! Timeouts of the route configuration.

use std::time::Duration;

use mesh::Dialect;
use mesh_core::ErrorKind;
use mesh_testkit::xds::{self, RouteBuilder};
use tonic::Code;

use crate::support::{Backend, Call, ROUTES, Setup, TARGET, World, within};

const SHORT: Duration = Duration::from_millis(60);
const LONG: Duration = Duration::from_secs(600);

async fn world(setup: Setup, dialect: Option<Dialect>, route: RouteBuilder) -> (World, Backend) {
    let backend = Backend::start(setup, "a");
    let world = World::with(setup, |builder| match dialect {
        Some(dialect) => builder.dialect(dialect),
        None => builder,
    })
    .await;
    let routes = xds::route_config(ROUTES).host(&["*"], [route]);
    world.publish(routes, &[("a", &[&backend])]);
    world.client.ready().await;
    (world, backend)
}

async fn max_stream_duration_ends_a_call(setup: Setup) {
    let route = xds::to("a").max_stream_duration(SHORT);
    let (world, backend) = world(setup, None, route).await;
    world.client.call(&Call::new()).await.unwrap();
    backend.hold();
    let answer = within("the end", world.client.call(&Call::new())).await;
    let failure = answer.unwrap_err();
    failure.assert(
        ErrorKind::StreamDeadline,
        Code::DeadlineExceeded,
        &["target xds:///shop"],
    );
    // The server is told.
    backend.wait_in_flight(0).await;
}

async fn the_listener_bounds_routes_that_say_nothing(setup: Setup) {
    let (world, backend) = world(setup, None, xds::to("a")).await;
    let listener = xds::listener(TARGET, ROUTES);
    world.plane.set(listener.max_stream_duration(SHORT));
    world.plane.wait_acked(mesh_testkit::control::LDS).await;
    backend.hold();
    let answer = within("the end", world.client.call(&Call::new())).await;
    let failure = answer.unwrap_err();
    failure.assert(ErrorKind::StreamDeadline, Code::DeadlineExceeded, &[]);
}

/// The route's timeout is Envoy's alone; gRPC does not read it (gRFC A31).
async fn route_timeout(setup: Setup) {
    let (world, backend) = world(setup, None, xds::to("a").timeout(SHORT)).await;
    if setup.is_grpc() {
        backend.delay(4 * SHORT);
        assert_eq!(world.client.call(&Call::new()).await.unwrap().server, "a");
        return;
    }
    backend.hold();
    let answer = within("the end", world.client.call(&Call::new())).await;
    let failure = answer.unwrap_err();
    failure.assert(
        ErrorKind::RouteTimeout,
        Code::Unavailable,
        &["target xds:///shop"],
    );
    backend.wait_in_flight(0).await;
}

async fn an_attempt_that_takes_too_long_is_tried_again(setup: Setup) {
    if setup.is_grpc() {
        // gRPC has no timeout of attempts.
        return;
    }
    let retry = xds::retry("reset", 1).per_try_timeout(SHORT);
    let route = xds::to("a").retry(retry).timeout(Duration::ZERO);
    let (world, backend) = world(setup, None, route).await;
    backend.hold();
    let client = world.client.clone();
    let call = tokio::spawn(async move { client.call(&Call::new()).await });
    let Backend::Http(server) = &backend else {
        panic!("{backend:?}");
    };
    server
        .wait_for("the second attempt", |server| server.count() == 2)
        .await;
    backend.release();
    // The second may have ended too by then.
    match within("the end", call).await.unwrap() {
        Ok(reply) => assert_eq!(reply.server, "a"),
        Err(failure) => failure.assert(ErrorKind::AttemptTimeout, Code::Unavailable, &[]),
    }
    assert_eq!(backend.count(), 2);
}

/// The caller may ask for less than the route grants, not for more.
async fn grpc_timeout_is_capped(dialect: Dialect) {
    let route = xds::to("a").grpc_timeout_max(SHORT);
    let (world, backend) = world(Setup::GRPC, Some(dialect), route).await;
    let reply = world.client.call(&Call::new().timeout(LONG)).await.unwrap();
    let sent = reply.headers["grpc-timeout"].clone();
    let (digits, unit) = sent.split_at(sent.len() - 1);
    let nanos = digits.parse::<u64>().unwrap()
        * match unit {
            "m" => 1_000_000,
            "u" => 1_000,
            "n" => 1,
            other => panic!("{other}"),
        };
    assert!(Duration::from_nanos(nanos) <= SHORT, "{sent}");
    backend.hold();
    let answer = within("the end", world.client.call(&Call::new().timeout(LONG))).await;
    let failure = answer.unwrap_err();
    failure.assert(ErrorKind::StreamDeadline, Code::DeadlineExceeded, &[]);
}

on_each_wire!(
    max_stream_duration_ends_a_call,
    the_listener_bounds_routes_that_say_nothing,
    route_timeout,
    an_attempt_that_takes_too_long_is_tried_again,
);

#[tokio::test]
async fn grpc_timeout_is_capped_in_dialect_grpc() {
    grpc_timeout_is_capped(Dialect::Grpc).await;
}

#[tokio::test]
async fn grpc_timeout_is_capped_in_dialect_envoy() {
    grpc_timeout_is_capped(Dialect::Envoy).await;
}
