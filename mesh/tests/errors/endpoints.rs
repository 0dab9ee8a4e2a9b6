//! Endpoints, the way to them, and their answers.

use mesh_proto::{
    Any,
    envoy::{
        config::core::v3::{TransportSocket, transport_socket::ConfigType},
        extensions::transport_sockets::tls::v3::UpstreamTlsContext,
    },
};
use mesh_testkit::{
    generated::mesh::test::v1::{EchoRequest, echo_client::EchoClient},
    refusing_address,
    xds::{self, RouteBuilder},
};

use crate::{
    Case, cases, raw,
    world::{ROUTES, SHORT, World, get, within},
};

pub(crate) const CASES: &[Case] = cases! {
    "the cluster has no endpoint" => no_endpoint,
    "the endpoint refuses connections" => refused,
    "no endpoint could be connected to (dialect grpc)" => all_refuse,
    "no connection in time" => connect_timeout,
    "the cluster is to have TLS, which is not to be had" => no_tls,
    "the endpoint resets the stream" => reset,
    "it resets the stream in its answer" => reset_in_answer,
    "it loses the connection" => lost,
    "it loses the connection in its answer" => lost_in_answer,
    "it refuses each stream (REFUSED_STREAM)" => refused_stream,
    "it goes away each time (GOAWAY)" => goes_away,
    "it breaks the protocol" => nonsense,
    "it speaks no HTTP/1.1" => no_http1,
    "its answer's head is too large" => large_head,
    "its answer is cut short" => short_answer,
};

async fn no_endpoint() -> String {
    let world = World::new().await;
    world.plane.set((
        xds::listener("shop", ROUTES),
        xds::route_config(ROUTES).host(&["*"], [xds::to("a").name("orders")]),
        xds::cluster("a"),
        xds::no_endpoints("a"),
    ));
    world.fails().await
}

async fn refused() -> String {
    let refusing = refusing_address();
    World::plain(refusing.socket()).await.fails().await
}

/// In dialect grpc endpoints are connected to ahead of calls.
async fn all_refuse() -> String {
    let refusing = refusing_address();
    let world = World::plain(refusing.socket()).await;
    let every = xds::to("a").name("orders");
    world
        .plane
        .set(xds::route_config(ROUTES).host(&["*"], [every]));
    let channel = world.mesh.channel("xds:///shop").unwrap();
    let mut client = EchoClient::new(channel);
    let call = client.unary(EchoRequest::default());
    let status = within(call).await.unwrap_err();
    world.text(&status.message())
}

async fn connect_timeout() -> String {
    let silent = refusing_address().fall_silent();
    let cluster = xds::cluster("a").http2().connect_timeout(SHORT);
    World::serving(xds::to("a"), cluster, silent.socket())
        .await
        .fails()
        .await
}

async fn no_tls() -> String {
    let socket = TransportSocket {
        name: "envoy.transport_sockets.tls".to_owned(),
        config_type: Some(ConfigType::TypedConfig(Any::pack(
            &UpstreamTlsContext::default(),
        ))),
    };
    let cluster = xds::cluster("a").edit(|cluster| cluster.transport_socket = Some(socket));
    let at = refusing_address().socket();
    World::serving(xds::to("a"), cluster, at)
        .await
        .fails()
        .await
}

async fn reset() -> String {
    let server = raw::http2(0, raw::reset, false).await;
    World::plain(server.at).await.fails().await
}

async fn reset_in_answer() -> String {
    let server = raw::http2(0, raw::head_and_reset, false).await;
    World::plain(server.at).await.breaks_off(get()).await
}

async fn lost() -> String {
    let server = raw::http2(0, |_| Vec::new(), true).await;
    World::plain(server.at).await.fails().await
}

async fn lost_in_answer() -> String {
    let server = raw::http2(0, raw::head, true).await;
    World::plain(server.at).await.breaks_off(get()).await
}

async fn refused_stream() -> String {
    let server = raw::http2(0, raw::refuse, false).await;
    World::plain(server.at).await.fails().await
}

async fn goes_away() -> String {
    let server = raw::http2(0, raw::go_away, false).await;
    World::plain(server.at).await.fails().await
}

async fn nonsense() -> String {
    let server = raw::http2(0, raw::nonsense, false).await;
    World::plain(server.at).await.fails().await
}

async fn no_http1() -> String {
    http1(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()).await
}

async fn large_head() -> String {
    let line = format!("x-large: {}\r\n", "a".repeat(1 << 20));
    http1(format!("HTTP/1.1 200 OK\r\n{line}\r\n").into()).await
}

async fn http1(answer: Vec<u8>) -> String {
    let server = raw::http1(answer).await;
    over_http1(xds::to("a"), &server).await.fails().await
}

async fn short_answer() -> String {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
    let server = raw::http1(answer.to_vec()).await;
    over_http1(xds::to("a"), &server)
        .await
        .breaks_off(get())
        .await
}

async fn over_http1(route: RouteBuilder, server: &raw::Raw) -> World {
    World::serving(route, xds::cluster("a").http1(), server.at).await
}
