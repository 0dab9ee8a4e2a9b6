//! Time, limits and policy, and what callers do.

use std::{future::Future, io, pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::Request;
use http_body::Frame;
use http_body_util::StreamBody;
use mesh::CallerDeadline;
use mesh_testkit::{
    EchoServer,
    xds::{self, ClusterBuilder, RouteBuilder},
};

use crate::{
    Case, cases, raw,
    world::{SHORT, World, get, late, within},
};

pub(crate) const CASES: &[Case] = cases! {
    "the deadline has passed already" => deadline_before,
    "the deadline passes before an answer" => deadline,
    "the deadline passes while the request is sent" => deadline_in_request,
    "the deadline passes in the answer" => deadline_in_answer,
    "the route's `timeout` passes" => route_timeout,
    "the route's `timeout` passes in the answer" => route_timeout_in_answer,
    "`per_try_timeout` passes in each attempt" => attempt_timeout,
    "no retry is left" => retries,
    "the limit on retries is reached" => max_retries,
    "the body is too long to be sent again" => outgrown,
    "`max_requests` are under way" => max_requests,
    "`max_pending_requests` wait for a connection" => max_pending,
    "the control plane asks for requests to be dropped" => dropped,
    "the request's body fails" => body_fails,
    "the request's body fails under way" => body_fails_later,
    "a fault is injected: an answer, not an error; its body" => fault,
};

async fn deadline_before() -> String {
    let server = EchoServer::http2().start();
    let world = World::plain(server.socket()).await;
    within(world.client.ready()).await.unwrap();
    let mut request = get();
    request
        .extensions_mut()
        .insert(CallerDeadline(Duration::ZERO));
    world.fails_with(request).await
}

/// A server that is connected to, and does not answer.
fn held(
    route: RouteBuilder,
    cluster: ClusterBuilder,
) -> Pin<Box<dyn Future<Output = (EchoServer, World)>>> {
    Box::pin(async {
        let server = EchoServer::http2().start();
        server.hold();
        let world = World::serving(route, cluster, server.socket()).await;
        within(world.client.ready()).await.unwrap();
        (server, world)
    })
}

async fn deadline() -> String {
    let (_server, world) = held(xds::to("a"), xds::cluster("a").http2()).await;
    world.fails_with(late()).await
}

async fn deadline_in_request() -> String {
    let server = EchoServer::http2().start();
    let world = World::plain(server.socket()).await;
    within(world.client.ready()).await.unwrap();
    let never = stream::pending::<io::Result<Frame<Bytes>>>();
    let (head, _) = late().into_parts();
    let request = Request::from_parts(head, StreamBody::new(never));
    let error = within(world.client.send(request)).await.unwrap_err();
    world.text(&error)
}

async fn deadline_in_answer() -> String {
    let server = raw::http2(0, raw::head, false).await;
    World::plain(server.at).await.breaks_off(late()).await
}

async fn route_timeout() -> String {
    let route = xds::to("a").timeout(SHORT);
    let (_server, world) = held(route, xds::cluster("a").http2()).await;
    world.fails().await
}

async fn route_timeout_in_answer() -> String {
    let server = raw::http2(0, raw::head, false).await;
    let route = xds::to("a").timeout(SHORT);
    let world = World::serving(route, xds::cluster("a").http2(), server.at).await;
    world.breaks_off(get()).await
}

async fn attempt_timeout() -> String {
    let retry = retry(1).per_try_timeout(SHORT);
    let (_server, world) = held(xds::to("a").retry(retry), xds::cluster("a").http2()).await;
    world.fails().await
}

fn retry(times: u32) -> xds::RetryBuilder {
    let soon = Duration::from_millis(1);
    xds::retry("5xx,reset", times).backoff(soon, soon)
}

async fn retries() -> String {
    let server = raw::http2(0, raw::reset, false).await;
    let route = xds::to("a").retry(retry(2));
    World::serving(route, xds::cluster("a").http2(), server.at)
        .await
        .fails()
        .await
}

async fn max_retries() -> String {
    let server = raw::http2(0, raw::reset, false).await;
    let cluster = xds::cluster("a").http2().max_retries(0);
    World::serving(xds::to("a").retry(retry(2)), cluster, server.at)
        .await
        .fails()
        .await
}

async fn outgrown() -> String {
    // Answers once more has come than is kept.
    let server = raw::http2(2 << 20, raw::reset, false).await;
    let route = xds::to("a").retry(retry(2));
    let world = World::serving(route, xds::cluster("a").http2(), server.at).await;
    let part = Bytes::from(vec![0; 16 << 10]);
    let parts = stream::repeat(part).map(|part| Ok::<_, io::Error>(Frame::data(part)));
    let body = StreamBody::new(parts.take(256));
    let request = Request::post("http://shop.test/orders").body(body).unwrap();
    let error = within(world.client.send(request)).await.unwrap_err();
    world.text(&error)
}

async fn max_requests() -> String {
    let (server, world) = held(xds::to("a"), xds::cluster("a").http2().max_requests(1)).await;
    let first = tokio::spawn({
        let client = world.client.clone();
        async move { client.send(get()).await }
    });
    server
        .wait_for("the first request", |it| it.in_flight() == 1)
        .await;
    let text = world.fails().await;
    first.abort();
    text
}

async fn max_pending() -> String {
    let server = EchoServer::http1().start();
    server.hold();
    let cluster = xds::cluster("a").http1().max_connections(1).max_pending(1);
    let world = World::serving(xds::to("a"), cluster, server.socket()).await;
    let mut calls = tokio::task::JoinSet::new();
    // One has the connection, one waits, and one is too many.
    for _ in 0..3 {
        let client = world.client.clone();
        calls.spawn(async move { client.send(get()).await.map(drop) });
    }
    let error = within(calls.join_next())
        .await
        .unwrap()
        .unwrap()
        .unwrap_err();
    world.text(&error)
}

async fn dropped() -> String {
    let server = EchoServer::http2().start();
    let world = World::plain(server.socket()).await;
    let endpoints = xds::endpoints("a", &[server.socket()]);
    world.plane.set(endpoints.drop("throttle", 100.0));
    loop {
        if let Err(error) = within(world.client.send(get())).await {
            return world.text(&error);
        }
    }
}

async fn with_body(
    frames: impl Stream<Item = io::Result<Frame<Bytes>>> + Send + 'static,
) -> String {
    let server = EchoServer::http2().start();
    let world = World::plain(server.socket()).await;
    let body = StreamBody::new(Box::pin(frames));
    let request = Request::post("http://shop.test/orders").body(body).unwrap();
    let error = within(world.client.send(request)).await.unwrap_err();
    world.text(&error)
}

/// A body that is there at once is looked at before the request is routed.
async fn body_fails() -> String {
    with_body(stream::iter([Err(io::Error::other("the file is gone"))])).await
}

async fn body_fails_later() -> String {
    let first = Frame::data(Bytes::from_static(b"half"));
    let frames = [Ok(first), Err(io::Error::other("the file is gone"))];
    let frames = stream::iter(frames).then(async |frame| {
        tokio::task::yield_now().await;
        frame
    });
    with_body(frames).await
}

async fn fault() -> String {
    let server = EchoServer::http2().start();
    let mut world = World::new().await;
    world.knows(server.socket());
    world.plane.set((
        xds::listener("shop", crate::world::ROUTES).fault(xds::fault().abort_http(503, 100.0)),
        xds::routes(crate::world::ROUTES, &[("a", 1)]),
        xds::cluster("a").http2(),
        xds::endpoints("a", &[server.socket()]),
    ));
    let answer = within(world.client.send(get())).await.unwrap();
    String::from_utf8(crate::world::read(answer).await.unwrap().into()).unwrap()
}
