//! One real request through every adapter: routed by path, header and authority, and sent as it is.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use mesh::{HttpClient, MeshChannel};
use mesh_testkit::{
    echo::EchoReport,
    generated::mesh::test::v1::{EchoRequest, echo_client::EchoClient},
    xds,
};
use tower_service::Service;

use crate::support::{Backend, Client, ROUTES, Setup, World};

/// A path that would not survive being parsed and put together again.
const PATH: &str = "/orders/v1/a%20b;c=d/%2F/?since=monday&x=%2f&&y";
const BODY: &[u8] = b"not empty";

/// A world whose only way to `right` is by path, header and authority.
async fn world(setup: Setup, path: &str) -> (World, [Backend; 2]) {
    let [right, wrong] = ["right", "wrong"].map(|id| Backend::start(setup, id));
    let world = World::start(setup).await;
    let routes = xds::route_config(ROUTES)
        .host(
            &["shop.test"],
            [
                xds::to("right").prefix(path).header("x-tier", "gold"),
                xds::to("wrong"),
            ],
        )
        .host(&["other.test"], [xds::to("wrong")]);
    world.publish(routes, &[("right", &[&right]), ("wrong", &[&wrong])]);
    (world, [right, wrong])
}

fn request<B>(authority: &str, tier: &str, body: B) -> Request<B> {
    Request::post(format!("http://{authority}{PATH}"))
        .header("x-tier", tier)
        .header("x-list", "one")
        .header("x-list", "two, three")
        .header("te", "trailers")
        .body(body)
        .unwrap()
}

/// Asserts that the server saw what was sent, all of it and nothing else but, if its dialect
/// says that, the route's timeout.
fn assert_as_sent(report: &EchoReport, version: &str, timeout: bool) {
    assert_eq!(report.server_id, "right");
    assert_eq!(report.method, "POST");
    assert_eq!(report.path, PATH);
    assert_eq!(report.authority, "shop.test");
    assert_eq!(report.version, version);
    assert_eq!(report.body.as_deref().map(str::as_bytes), Some(BODY));
    let text = |values: &[&str]| values.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let mut expected = BTreeMap::from([
        ("x-tier".to_owned(), text(&["gold"])),
        ("x-list".to_owned(), text(&["one", "two, three"])),
        ("te".to_owned(), text(&["trailers"])),
    ]);
    if timeout {
        let name = "x-envoy-expected-rq-timeout-ms".to_owned();
        expected.insert(name, text(&["15000"]));
    }
    if version == "HTTP/1.1" {
        // HTTP/2 frames its bodies itself.
        expected.insert("host".to_owned(), text(&["shop.test"]));
        expected.insert("content-length".to_owned(), text(&["9"]));
    }
    assert_eq!(report.headers, expected);
}

async fn report<B>(response: Response<B>) -> EchoReport
where
    B: http_body::Body<Error: std::fmt::Debug>,
{
    EchoReport::parse(&response.into_body().collect().await.unwrap().to_bytes())
}

/// A service of a program's own around an adapter, as its `tower` layers are.
#[derive(Clone)]
struct Counting<S> {
    inner: S,
    calls: u32,
}

impl<S: Service<R>, R> Service<R> for Counting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.calls += 1;
        self.inner.call(request)
    }
}

async fn http_client_sends_what_it_is_given(setup: Setup, version: &str) {
    let (world, _backends) = world(setup, "/orders/v1/").await;
    let Client::Http(client) = &world.client else {
        panic!("{:?}", world.client);
    };
    let body = || Full::new(Bytes::from_static(BODY));

    let response = client
        .send(request("shop.test", "gold", body()))
        .await
        .unwrap();
    assert_as_sent(&report(response).await, version, true);

    let mut service: HttpClient = client.clone();
    poll_fn(|cx| Service::<Request<Full<Bytes>>>::poll_ready(&mut service, cx))
        .await
        .unwrap();
    let response = service
        .call(request("shop.test", "gold", body()))
        .await
        .unwrap();
    assert_as_sent(&report(response).await, version, true);

    let mut around = Counting {
        inner: client.clone(),
        calls: 0,
    };
    let response = around
        .call(request("shop.test", "gold", body()))
        .await
        .unwrap();
    assert_as_sent(&report(response).await, version, true);
    assert_eq!(around.calls, 1);

    for (authority, tier) in [("shop.test", "silver"), ("other.test", "gold")] {
        let response = client.send(request(authority, tier, body())).await.unwrap();
        assert_eq!(
            report(response).await.server_id,
            "wrong",
            "{authority} {tier}"
        );
    }
    let unknown = client.send(request("nobody.test", "gold", body())).await;
    assert_eq!(unknown.unwrap_err().kind(), mesh_core::ErrorKind::NoRoute);
}

#[tokio::test]
async fn http_client_over_http1() {
    http_client_sends_what_it_is_given(Setup::HTTP1, "HTTP/1.1").await;
}

#[tokio::test]
async fn http_client_over_http2() {
    http_client_sends_what_it_is_given(Setup::HTTP2, "HTTP/2.0").await;
}

/// The channel is a service over `http::Request` as well, for requests that no generated client
/// makes.
#[tokio::test]
async fn channel_as_a_service() {
    let (world, _backends) = world(Setup::HTTP2, "/orders/v1/").await;
    let mut channel: MeshChannel = world.mesh.channel("xds:///shop").unwrap();
    let body = || tonic::body::Body::new(Full::new(Bytes::from_static(BODY)));
    poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
    let response = channel
        .call(request("shop.test", "gold", body()))
        .await
        .unwrap();
    assert_as_sent(&report(response).await, "HTTP/2.0", false);
    let response = channel
        .call(request("other.test", "gold", body()))
        .await
        .unwrap();
    assert_eq!(report(response).await.server_id, "wrong");
}

#[tokio::test]
async fn generated_client_on_a_channel() {
    const UNARY: &str = "/mesh.test.v1.Echo/Unary";
    let (world, _backends) = world(Setup::GRPC, UNARY).await;
    let Client::Grpc(channel) = &world.client else {
        panic!("{:?}", world.client);
    };
    let around = Counting {
        inner: channel.clone(),
        calls: 0,
    };
    let mut client = EchoClient::with_origin(around, "http://shop.test".parse().unwrap());
    let message = |tier: &str| {
        let mut request = tonic::Request::new(EchoRequest {
            message: "not empty".to_owned(),
            ..EchoRequest::default()
        });
        let metadata = request.metadata_mut();
        metadata.insert("x-tier", tier.parse().unwrap());
        metadata.insert_bin(
            "x-trace-bin",
            tonic::metadata::MetadataValue::from_bytes(&[0, 255]),
        );
        request
    };
    let reply = client.unary(message("gold")).await.unwrap().into_inner();
    assert_eq!(reply.server_id, "right");
    assert_eq!(reply.path, UNARY);
    assert_eq!(reply.authority, "shop.test");
    assert_eq!(reply.message, "not empty");
    assert_eq!(
        reply.headers.get("x-tier").map(String::as_str),
        Some("gold")
    );

    let reply = client.unary(message("silver")).await.unwrap().into_inner();
    assert_eq!(reply.server_id, "wrong");

    // The target's own name is the authority unless the call brings another.
    let mut client = EchoClient::new(channel.clone());
    let status = client.unary(message("gold")).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}");
    assert!(status.message().contains("target"), "{status:?}");
}
