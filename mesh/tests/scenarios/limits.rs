//! Drops and limits.

use mesh_core::ErrorKind;
use mesh_testkit::{control::CDS, xds};
use tonic::Code;

use crate::support::{Backend, Call, ROUTES, Setup, World, within};

async fn a_share_of_requests_is_dropped(setup: Setup) {
    let backend = Backend::start(setup, "a");
    let world = World::serving(setup, &[&backend]).await;
    let endpoints = || xds::endpoints("a", &[backend.socket()]);

    world.plane.set(endpoints().drop("throttle", 100.0));
    world.until("the first drop", Result::is_err).await;
    let failure = world.client.call(&Call::new()).await.unwrap_err();
    failure.assert(
        ErrorKind::Dropped,
        Code::Unavailable,
        &["throttle", "cluster a"],
    );

    world.plane.set(endpoints().drop("throttle", 30.0));
    world.until("the last of all drops", Result::is_ok).await;
    let before = backend.count();
    let mut dropped = 0;
    for _ in 0..400 {
        match world.client.call(&Call::new()).await {
            Ok(reply) => assert_eq!(reply.server, "a"),
            Err(failure) => {
                failure.assert(ErrorKind::Dropped, Code::Unavailable, &["throttle"]);
                dropped += 1;
            }
        }
    }
    // What was dropped never left.
    assert_eq!(backend.count() - before, 400 - dropped);
    // Five standard deviations of 400 draws.
    let slack = 5.0 * (400.0_f64 * 0.3 * 0.7).sqrt();
    assert!((dropped as f64 - 120.0).abs() <= slack, "{dropped} of 400");
}

async fn one_request_too_many_fails_at_once(setup: Setup) {
    let backend = Backend::start(setup, "a");
    let world = World::serving(setup, &[&backend]).await;
    world.plane.set(world.cluster("a").max_requests(2));
    world.plane.wait_acked(CDS).await;
    backend.hold();
    let calls = |count| -> Vec<_> {
        let client = || world.client.clone();
        (0..count)
            .map(|_| client())
            .map(|client| tokio::spawn(async move { client.call(&Call::new()).await }))
            .collect()
    };
    let held = calls(2);
    backend.wait_in_flight(2).await;
    let failure = within("a refusal", world.client.call(&Call::new())).await;
    let failure = failure.unwrap_err();
    failure.assert(
        ErrorKind::Overloaded,
        Code::Unavailable,
        &["max_requests", "cluster a"],
    );
    // Waiting does not help against a limit.
    let patient = Call::new().wait_for_ready();
    let failure = within("a refusal", world.client.call(&patient)).await;
    failure
        .unwrap_err()
        .assert(ErrorKind::Overloaded, Code::Unavailable, &["max_requests"]);

    // Raised while requests are under way, it lets one more in.
    world.plane.set(world.cluster("a").max_requests(3));
    world.plane.wait_acked(CDS).await;
    let more = calls(1);
    backend.wait_in_flight(3).await;
    let failure = within("a refusal", world.client.call(&Call::new())).await;
    failure
        .unwrap_err()
        .assert(ErrorKind::Overloaded, Code::Unavailable, &[]);
    backend.release();
    for call in held.into_iter().chain(more) {
        assert_eq!(within("a call", call).await.unwrap().unwrap().server, "a");
    }
    assert_eq!(world.client.call(&Call::new()).await.unwrap().server, "a");
}

/// The limit is the cluster's: over all targets of a program.
async fn targets_share_a_limit(setup: Setup) {
    let backend = Backend::start(setup, "a");
    let world = World::serving(setup, &[&backend]).await;
    world.plane.set((
        world.cluster("a").max_requests(1),
        xds::listener("other", ROUTES),
    ));
    world.plane.wait_acked(CDS).await;
    let other = world.client_of("other");
    other.ready().await;
    backend.hold();
    let client = world.client.clone();
    let held = tokio::spawn(async move { client.call(&Call::new()).await });
    backend.wait_in_flight(1).await;
    let failure = within("a refusal", other.call(&Call::new())).await;
    failure
        .unwrap_err()
        .assert(ErrorKind::Overloaded, Code::Unavailable, &["max_requests"]);
    backend.release();
    within("the call", held).await.unwrap().unwrap();
}

on_each_wire!(
    a_share_of_requests_is_dropped,
    one_request_too_many_fails_at_once,
    targets_share_a_limit,
);
