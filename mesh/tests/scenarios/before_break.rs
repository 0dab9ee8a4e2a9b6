//! Make before break: traffic moves when what it moves to is complete, and what it leaves stays
//! until it is done.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use mesh::{HttpClient, MeshChannel};
use mesh_testkit::{
    control::{CDS, EDS, LDS, RDS},
    echo::EchoReport,
    generated::mesh::test::v1::{EchoRequest, echo_client::EchoClient},
    xds,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::support::{Backend, Call, Client, Load, ROUTES, Setup, TARGET, World, within};

async fn a_route_waits_for_its_new_cluster(setup: Setup) {
    let [a, b] = ["a", "b"].map(|id| Backend::start(setup, id));
    let world = World::serving(setup, &[&a]).await;
    let mut load = Load::start(&world.client, Call::new()).await;
    let plane = &world.plane;

    plane.set(xds::routes(ROUTES, &[("b", 1)]));
    plane
        .wait_for("a question for the cluster", |plane| {
            plane.subscribed(CDS).contains("b")
        })
        .await;
    load.window(40).await.assert_only(&["a"]);

    plane.set(world.cluster("b"));
    plane
        .wait_for("a question for its endpoints", |plane| {
            plane.subscribed(EDS).contains("b")
        })
        .await;
    load.window(40).await.assert_only(&["a"]);

    plane.set(xds::endpoints("b", &[b.socket()]));
    load.until_only(&["b"]).await;
    // The old one goes when nobody needs it.
    plane
        .wait_for("the old cluster to be let go", |plane| {
            !plane.subscribed(CDS).contains("a") && !plane.subscribed(EDS).contains("a")
        })
        .await;
    load.window(40).await.assert_only(&["b"]);
    load.finish().await;
}

async fn a_listener_waits_for_its_new_routes(setup: Setup) {
    let [a, b] = ["a", "b"].map(|id| Backend::start(setup, id));
    let world = World::serving(setup, &[&a]).await;
    let mut load = Load::start(&world.client, Call::new()).await;
    let plane = &world.plane;

    plane.set(xds::listener(TARGET, "new-routes"));
    plane
        .wait_for("a question for the routes", |plane| {
            plane.subscribed(RDS).contains("new-routes")
        })
        .await;
    load.window(40).await.assert_only(&["a"]);
    plane.set((
        xds::routes("new-routes", &[("b", 1)]),
        world.cluster("b"),
        xds::endpoints("b", &[b.socket()]),
    ));
    load.until_only(&["b"]).await;

    // Routes inside the listener.
    let inline = xds::routes("inline", &[("a", 1)]);
    plane.set(xds::listener(TARGET, ROUTES).inline(inline));
    load.until_only(&["a"]).await;
    plane
        .wait_for("the routes to be let go", |plane| {
            plane.subscribed(RDS).is_empty()
        })
        .await;
    load.finish().await;
}

/// Moves everything from `a` to `b`, and takes `a` away.
async fn move_away(world: &World, b: &Backend) {
    world.publish(xds::routes(ROUTES, &[("b", 1)]), &[("b", &[b])]);
    let plane = &world.plane;
    plane
        .wait_for("the old cluster to be let go", |plane| {
            !plane.subscribed(CDS).contains("a")
        })
        .await;
    plane.remove(CDS, "a");
    plane.remove(EDS, "a");
    plane.wait_acked(LDS).await;
}

async fn calls_on_a_removed_cluster_finish(setup: Setup) {
    let [a, b] = ["a", "b"].map(|id| Backend::start(setup, id));
    let world = World::serving(setup, &[&a]).await;
    a.hold();
    let calls: Vec<_> = (0..5)
        .map(|_| {
            let client = world.client.clone();
            tokio::spawn(async move { client.call(&Call::new()).await })
        })
        .collect();
    a.wait_in_flight(5).await;
    move_away(&world, &b).await;
    for _ in 0..20 {
        assert_eq!(world.client.call(&Call::new()).await.unwrap().server, "b");
    }
    a.release();
    for call in calls {
        let reply = within("a call on the old cluster", call).await.unwrap();
        assert_eq!(reply.unwrap().server, "a");
    }
}

async fn streams_on_a_removed_cluster_go_on(setup: Setup) {
    let [a, b] = ["a", "b"].map(|id| Backend::start(setup, id));
    let world = World::serving(setup, &[&a]).await;
    match world.client.clone() {
        Client::Grpc(channel) => talk(channel, &world, &b).await,
        Client::Http(client) => upload(client, &world, [&a, &b]).await,
    }
    // Nothing of the old cluster stays.
    a.wait_disconnected().await;
    assert_eq!(world.client.call(&Call::new()).await.unwrap().server, "b");
}

async fn talk(channel: MeshChannel, world: &World, b: &Backend) {
    let message = |text: &str| EchoRequest {
        message: text.to_owned(),
        ..EchoRequest::default()
    };
    let (sender, messages) = mpsc::unbounded_channel();
    let messages = UnboundedReceiverStream::new(messages);
    let mut client = EchoClient::with_origin(channel, "http://shop.test".parse().unwrap());
    sender.send(message("before")).unwrap();
    let mut replies = client.bidi_stream(messages).await.unwrap().into_inner();
    let reply = replies.message().await.unwrap().unwrap();
    assert_eq!((&*reply.server_id, &*reply.message), ("a", "before"));
    move_away(world, b).await;
    for number in 0..20 {
        let text = format!("after {number}");
        sender.send(message(&text)).unwrap();
        let reply = within("a reply", replies.message()).await;
        let reply = reply.unwrap().unwrap();
        assert_eq!((&*reply.server_id, &*reply.message), ("a", &*text));
    }
    drop(sender);
    assert_eq!(within("the end", replies.message()).await.unwrap(), None);
}

async fn upload(client: HttpClient, world: &World, [a, b]: [&Backend; 2]) {
    let (sender, pieces) = mpsc::unbounded_channel();
    let pieces = UnboundedReceiverStream::new(pieces);
    let body = pieces.map(|piece: Bytes| Ok::<_, std::io::Error>(Frame::data(piece)));
    let request = http::Request::post("http://shop.test/upload");
    let request = request.body(StreamBody::new(body)).unwrap();
    let call = tokio::spawn(async move { client.send(request).await });
    sender.send(Bytes::from_static(b"before ")).unwrap();
    a.wait_in_flight(1).await;
    move_away(world, b).await;
    sender.send(Bytes::from_static(b"after")).unwrap();
    drop(sender);
    let response = within("the answer", call).await.unwrap().unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let report = EchoReport::parse(&body);
    assert_eq!(report.server_id, "a");
    assert_eq!(report.body.as_deref(), Some("before after"));
}

/// Everything is published at once, and comes piece by piece.
async fn an_update_that_comes_slowly_is_used_when_it_is_complete(setup: Setup) {
    let [a, b] = ["a", "b"].map(|id| Backend::start(setup, id));
    let world = World::serving(setup, &[&a]).await;
    let mut load = Load::start(&world.client, Call::new()).await;
    world.plane.delay(Duration::from_millis(30));
    for (name, backend) in [("b", &b), ("a", &a), ("b", &b)] {
        let clusters: &[(&str, &[&Backend])] = &[(name, &[backend])];
        world.publish(xds::routes(ROUTES, &[(name, 1)]), clusters);
        load.until_only(&[name]).await;
    }
    load.finish().await;
}

on_each_wire_and_variant!(
    an_update_that_comes_slowly_is_used_when_it_is_complete,
    calls_on_a_removed_cluster_finish,
    streams_on_a_removed_cluster_go_on,
);

/// In the other variant a server says at once that what it does not have does not exist.
mod late {
    use super::{a_listener_waits_for_its_new_routes, a_route_waits_for_its_new_cluster};

    on_each_wire!(
        a_route_waits_for_its_new_cluster,
        a_listener_waits_for_its_new_routes,
    );
}
