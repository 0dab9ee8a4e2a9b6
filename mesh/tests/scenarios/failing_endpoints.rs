//! An endpoint that cannot be reached gets no more attempts than its back-off allows, without any
//! outlier detection, while the others serve.

use std::time::{Duration, Instant};

use mesh_core::ErrorKind;
use mesh_testkit::{CountingListener, refusing_address, xds};
use tonic::Code;

use crate::support::{Backend, Call, Failure, Load, ROUTES, Reply, Setup, World, within};

/// How many attempts may have been made within this time: the back-off is 1 s at first and 1.6
/// times as long each time, all of it up to 20 % shorter. (gRPC, "connection back-off")
fn allowed(within: Duration) -> u64 {
    let (mut wait, mut at, mut attempts) = (0.8, 0.0, 0);
    while at <= within.as_secs_f64() {
        attempts += 1;
        at += wait;
        wait *= 1.6;
    }
    attempts
}

/// In dialect envoy a connection is made by a request; one that finds none at its endpoint has not
/// left, and goes to another, without any policy.
async fn a_refusing_endpoint_costs_no_call(setup: Setup) {
    let [a, b] = ["a", "b"].map(|id| Backend::start(setup, id));
    let refusing = refusing_address();
    let world = World::start(setup).await;
    world.publish(xds::routes(ROUTES, &[("c", 1)]), &[("c", &[])]);
    let endpoints = [refusing.socket(), a.socket(), b.socket()];
    world.plane.set(xds::endpoints("c", &endpoints));

    within("600 calls", async {
        for _ in 0..600 {
            let reply = world.client.call(&Call::new().wait_for_ready()).await;
            let server = reply.unwrap().server;
            assert!(["a", "b"].contains(&&*server), "{server}");
        }
    })
    .await;
    assert!(
        a.count() >= 200 && b.count() >= 200,
        "{} and {}",
        a.count(),
        b.count()
    );
}

/// With a policy that tries again what never connected, no call fails.
async fn a_refusing_endpoint_fails_no_call_that_may_be_tried_again(setup: Setup) {
    let [a, b, late] = ["a", "b", "late"].map(|id| Backend::start(setup, id));
    let world = World::start(setup).await;
    let retry = xds::retry(setup.pick("unavailable", "connect-failure"), 2);
    let routes = xds::route_config(ROUTES).host(&["*"], [xds::to("c").retry(retry)]);
    late.stop().await;
    world.publish(routes, &[("c", &[&late, &a, &b])]);
    let mut load = Load::start(&world.client, Call::new()).await;
    load.window(300).await.assert_only(&["a", "b"]);
    // It is looked at again, and used when it is there.
    late.restart().await;
    load.until_only(&["a", "b", "late"]).await;
    load.finish().await;
}

/// A backend that accepts and dies. Over HTTP/2 a connection counts when the server has spoken.
async fn a_dying_endpoint_gets_what_its_back_off_allows(setup: Setup) {
    let [a, b] = ["a", "b"].map(|id| Backend::start(setup, id));
    let dying = CountingListener::start();
    let world = World::start(setup).await;
    let retry = xds::retry(setup.pick("unavailable", "connect-failure,reset"), 2);
    let routes = xds::route_config(ROUTES).host(&["*"], [xds::to("c").retry(retry)]);
    let begin = Instant::now();
    world.publish(routes, &[("c", &[])]);
    let endpoints = [dying.socket(), a.socket(), b.socket()];
    world.plane.set(xds::endpoints("c", &endpoints));
    world
        .client
        .call(&Call::new().wait_for_ready())
        .await
        .unwrap();
    let mut load = Load::start(&world.client, Call::new()).await;
    load.window(600).await.assert_only(&["a", "b"]);
    let attempts = dying.count();
    let most = allowed(Instant::now() - begin);
    assert!(
        (1..=most).contains(&attempts),
        "{attempts} of at most {most}"
    );
    load.finish().await;
}

async fn a_cluster_of_refusing_endpoints_says_so(setup: Setup) {
    let refusing = refusing_address();
    let world = World::start(setup).await;
    world.publish(xds::routes(ROUTES, &[("c", 1)]), &[("c", &[])]);
    world.plane.set(xds::endpoints("c", &[refusing.socket()]));
    let at = refusing.socket().to_string();
    let known = |answer: &Result<Reply, Failure>| {
        let failure = answer.as_ref().expect_err("nobody to answer");
        failure.kind != Some(ErrorKind::NoEndpoint)
    };
    world.until("the endpoint to be known", known).await;
    let failure = world.client.call(&Call::new()).await.unwrap_err();
    let says = ["cluster c", &*at, "refused"];
    failure.assert(ErrorKind::Connect, Code::Unavailable, &says);
}

on_each_wire!(
    a_refusing_endpoint_costs_no_call,
    a_refusing_endpoint_fails_no_call_that_may_be_tried_again,
    a_cluster_of_refusing_endpoints_says_so,
);

#[tokio::test]
async fn a_dying_endpoint_over_grpc() {
    a_dying_endpoint_gets_what_its_back_off_allows(Setup::GRPC).await;
}

#[tokio::test]
async fn a_dying_endpoint_over_http2() {
    a_dying_endpoint_gets_what_its_back_off_allows(Setup::HTTP2).await;
}
