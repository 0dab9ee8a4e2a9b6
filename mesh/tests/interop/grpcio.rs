//! gRPC C-core on both sides of us: its client on our control plane, its server behind our channel.

use mesh::{Mesh, MeshChannel, Variant};
use mesh_testkit::{
    ControlPlane,
    control::{CDS, EDS, LDS, RDS, StreamKind},
    generated::mesh::test::v1::{EchoReply, EchoRequest, echo_client::EchoClient},
    xds::{self, RouteBuilder},
};
use serde_json::Value;
use tonic::{Code, Request};

use crate::{
    load::{Caller, Load, until},
    peers::{Peer, Program},
    scene::{Backends, TARGET, backends, bootstrap, mesh, say},
};

/// A gRPC C-core client takes the testkit's control plane for a real one.
#[tokio::test]
async fn its_client_follows_our_control_plane() {
    let Some(program) = Program::grpcio("xds_client.py") else {
        return;
    };
    let backends = Backends::start();
    let plane = ControlPlane::start().await;
    publish(&plane, &backends);
    let bootstrap = bootstrap(&[plane.socket()]);
    // In its own log it would report each connection that this test breaks.
    let environment = [
        ("GRPC_XDS_BOOTSTRAP_CONFIG", bootstrap.as_str()),
        ("GRPC_VERBOSITY", "NONE"),
    ];
    let mut client = program.start(&["--target", TARGET, "--stdin"], &environment);

    let seen = calls(&mut client, 200).await;
    let (v1, v2) = (seen["v1"].as_f64().unwrap(), seen["v2"].as_f64().unwrap());
    // Within five standard deviations of an even split.
    assert!((v1 - 100.0).abs() <= 36.0 && v1 + v2 == 200.0, "{seen}");
    accepted(&plane).await;

    plane.set(xds::routes("greeter-routes", &[("v1", 0), ("v2", 1)]));
    plane.wait_acked(RDS).await;
    until_all_to(&mut client, "v2").await;
    plane.set(xds::endpoints("v2", &[backends.v1.socket()]));
    plane.wait_acked(EDS).await;
    until_all_to(&mut client, "v1").await;

    // Entries may come wrapped, and streams may break.
    plane.wrap_resources(true);
    plane.disconnect_all().await;
    plane.set(xds::endpoints("v2", &[backends.v2.socket()]));
    until_all_to(&mut client, "v2").await;
    accepted(&plane).await;
    assert_eq!(plane.streams(StreamKind::Sotw), 1);
}

/// Both peers are foreign, and we are what joins them.
#[tokio::test]
async fn its_servers_behind_go_control_plane() {
    let (Some(control), Some(server)) = (Program::go_control_plane(), Program::grpcio("server.py"))
    else {
        return;
    };
    let (_one, v1) = server.serve(&["--server-id", "v1"]).await;
    let (_two, v2) = server.serve(&["--server-id", "v2"]).await;
    let (mut plane, address) = control.serve(&["--backends", &backends(v1, v2)]).await;
    let mesh = mesh(&[address], Variant::Delta);
    let channel = mesh.channel(TARGET).unwrap();
    channel.ready().await.unwrap();
    let caller = Caller::Grpc(channel);
    let load = Load::start(caller.clone());
    caller.until_all_to("v1").await;
    plane.command("snapshot B").await;
    caller.until_all_to("v2").await;
    let replaced = format!("backends {}", backends(v2, v1));
    plane.command(&replaced).await;
    caller.until_all_to("v1").await;
    load.finish().await;
}

#[tokio::test]
async fn its_server_answers_every_kind_of_call() {
    let Some(mut world) = World::start(xds::to("v1")).await else {
        return;
    };
    let mut request = Request::new(say("one"));
    request
        .metadata_mut()
        .insert("x-test", "yes".parse().unwrap());
    let bytes = tonic::metadata::MetadataValue::from_bytes(&[0, 200, 255]);
    request.metadata_mut().insert_bin("x-test-bin", bytes);
    let response = world.client.unary(request).await.unwrap();
    // A successful unary call has its trailers among its metadata.
    assert_eq!(response.metadata().get("server-id").unwrap(), "v1");
    let trailer = response.metadata().get_bin("server-id-bin").unwrap();
    assert_eq!(trailer.to_bytes().unwrap(), "v1");
    let reply = response.into_inner();
    assert_eq!(
        (reply.path.as_str(), reply.authority.as_str()),
        ("/mesh.test.v1.Echo/Unary", "greeter")
    );
    assert_eq!((reply.message.as_str(), reply.attempt), ("one", 1));
    assert_eq!(
        (reply.payload, reply.headers["x-test"].as_str()),
        (say("one").payload, "yes")
    );

    let both = || tokio_stream::iter([say("a"), repeated("b", 2)]);
    let reply = world.client.client_stream(both()).await.unwrap();
    let reply = reply.into_inner();
    assert_eq!((reply.message.as_str(), reply.received), ("b", 2));

    let replies = world.client.server_stream(repeated("c", 3)).await.unwrap();
    assert_eq!(
        all(replies.into_inner()).await,
        [("c", 1), ("c", 1), ("c", 1)].map(owned)
    );

    let replies = world.client.bidi_stream(both()).await.unwrap();
    assert_eq!(
        all(replies.into_inner()).await,
        [("a", 1), ("b", 2), ("b", 2)].map(owned)
    );
}

#[tokio::test]
async fn its_errors_arrive_whole() {
    let Some(mut world) = World::start(xds::to("v1")).await else {
        return;
    };
    let text = "50 % größer\nas asked";
    let failing = EchoRequest {
        fail_with_code: Code::FailedPrecondition as u32,
        fail_message: text.to_owned(),
        ..say("x")
    };
    let status = world.client.unary(failing.clone()).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::FailedPrecondition, text)
    );
    assert_eq!(status.metadata().get("server-id").unwrap(), "v1");
    // A `google.rpc.Status`: its code is field 1, its message field 2.
    let mut details = vec![0x08, 9, 0x12, u8::try_from(text.len()).unwrap()];
    details.extend(text.as_bytes());
    assert_eq!(status.details(), details);

    // After replies there are headers before the trailers.
    let requests = tokio_stream::iter([say("a"), failing]);
    let replies = world.client.bidi_stream(requests).await.unwrap();
    let mut replies = replies.into_inner();
    assert_eq!(replies.message().await.unwrap().unwrap().message, "a");
    let status = replies.message().await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::FailedPrecondition, text)
    );
    assert!(!status.details().is_empty());
}

#[tokio::test]
async fn its_trailers_alone_are_tried_again() {
    let retrying = xds::to("v1").retry(xds::retry("unavailable", 2));
    let Some(mut world) = World::start(retrying).await else {
        return;
    };
    let failing = |code: Code, attempts: &'static str| {
        let mut request = Request::new(EchoRequest {
            fail_with_code: code as u32,
            ..say("x")
        });
        let attempts = attempts.parse().unwrap();
        request.metadata_mut().insert("x-fail-attempts", attempts);
        request
    };
    let reply = world.client.unary(failing(Code::Unavailable, "2")).await;
    assert_eq!(reply.unwrap().into_inner().attempt, 3);
    let status = world.client.unary(failing(Code::Unavailable, "3")).await;
    assert_eq!(status.unwrap_err().code(), Code::Unavailable);
    let status = world.client.unary(failing(Code::Aborted, "1")).await;
    assert_eq!(status.unwrap_err().code(), Code::Aborted);
}

#[tokio::test]
async fn a_deadline_ends_its_call() {
    let Some(mut world) = World::start(xds::to("v1")).await else {
        return;
    };
    let mut slow = Request::new(EchoRequest {
        delay_ms: 20_000,
        ..say("x")
    });
    slow.set_timeout(std::time::Duration::from_millis(100));
    let status = world.client.unary(slow).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    // The connection is as good as before.
    let reply = world.client.unary(say("y")).await.unwrap();
    assert_eq!(reply.into_inner().message, "y");
}

#[tokio::test]
async fn its_servers_are_reached_without_a_control_plane() {
    let Some(program) = Program::grpcio("server.py") else {
        return;
    };
    let (one, v1) = program.serve(&["--server-id", "v1"]).await;
    let (_two, v2) = program.serve(&["--server-id", "v2"]).await;
    let mesh = Mesh::builder().spawn().unwrap();
    let by_name = Caller::Grpc(
        mesh.channel(&format!("dns:///localhost:{}", v2.port()))
            .unwrap(),
    );
    assert!(by_name.calls(4).await.contains_key("v2"));

    let list = mesh.channel(&format!("ipv4:{v1},{v2}")).unwrap();
    let reply = EchoClient::new(list.clone()).unary(say("x")).await.unwrap();
    assert_eq!(reply.into_inner().authority, v1.to_string());
    let list = Caller::Grpc(list);
    until("calls go to both of the list", async || {
        let seen = list.calls(4).await;
        (seen.len() == 2).then_some(()).ok_or(seen)
    })
    .await;
    one.kill().await;
    // A call may be lost with its connection: no policy says to try it again.
    until("calls go to who is left", async || {
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(list.call().await);
        }
        let all_to_v2 = seen.iter().all(|server| server.as_deref() == Ok("v2"));
        all_to_v2.then_some(()).ok_or(seen)
    })
    .await;
}

/// A C-core server behind our channel, with one route.
struct World {
    client: EchoClient<MeshChannel>,
    _mesh: Mesh,
    _plane: ControlPlane,
    _server: Peer,
}

impl World {
    async fn start(route: RouteBuilder) -> Option<Self> {
        let program = Program::grpcio("server.py")?;
        let (server, address) = program.serve(&["--server-id", "v1"]).await;
        let plane = ControlPlane::start().await;
        plane.set((
            xds::listener("greeter", "greeter-routes"),
            xds::route_config("greeter-routes").host(&["*"], [route]),
            xds::cluster("v1"),
            xds::endpoints("v1", &[address]),
        ));
        let mesh = mesh(&[plane.socket()], Variant::Delta);
        let channel = mesh.channel(TARGET).unwrap();
        channel.ready().await.unwrap();
        Some(Self {
            client: EchoClient::new(channel),
            _mesh: mesh,
            _plane: plane,
            _server: server,
        })
    }
}

fn publish(plane: &ControlPlane, backends: &Backends) {
    plane.set((
        xds::listener("greeter", "greeter-routes"),
        xds::routes("greeter-routes", &[("v1", 1), ("v2", 1)]),
        xds::cluster("v1"),
        xds::cluster("v2"),
        xds::endpoints("v1", &[backends.v1.socket()]),
        xds::endpoints("v2", &[backends.v2.socket()]),
    ));
}

/// Waits until all is accepted, and checks that nothing was refused.
async fn accepted(plane: &ControlPlane) {
    for kind in [LDS, RDS, CDS, EDS] {
        plane.wait_acked(kind).await;
        assert_eq!(plane.nacks(kind), [], "{kind}");
    }
}

/// Lets the client make this many calls, none of which may fail; gives them by server.
async fn calls(client: &mut Peer, count: u32) -> Value {
    let mut summary = client.ask(&count.to_string()).await;
    assert_eq!(summary["failures"], serde_json::json!({}), "{summary}");
    summary["by_server"].take()
}

async fn until_all_to(client: &mut Peer, server: &str) {
    until(&format!("all calls go to {server}"), async || {
        let seen = calls(client, 20).await;
        (seen == serde_json::json!({ server: 20 }))
            .then_some(())
            .ok_or(seen)
    })
    .await;
}

fn repeated(message: &str, repeat: u32) -> EchoRequest {
    EchoRequest {
        repeat,
        ..say(message)
    }
}

async fn all(mut replies: tonic::Streaming<EchoReply>) -> Vec<(String, u64)> {
    let mut seen = Vec::new();
    while let Some(reply) = replies.message().await.unwrap() {
        seen.push((reply.message, reply.received));
    }
    let trailers = replies.trailers().await.unwrap().unwrap();
    assert_eq!(trailers.get("server-id").unwrap(), "v1");
    seen
}

fn owned((message, received): (&str, u64)) -> (String, u64) {
    (message.to_owned(), received)
}
