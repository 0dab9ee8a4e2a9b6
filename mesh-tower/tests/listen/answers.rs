//! What clients of a listener get.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use mesh_core::config::{
    ClusterConfig, Dialect, Discovery, DomainPattern, EndpointsConfig, RouteConfig, SnapshotBuilder,
};
use mesh_testkit::echo::EchoServer;
use mesh_tower::listen::ListenOptions;

use crate::support::{Client, report, serve, serve_to, text};

#[tokio::test]
async fn a_request_arrives_as_it_was_sent_over_either_protocol() {
    let server = EchoServer::http1().start();
    let served = serve_to(&[server.socket()]);
    for mut client in Client::both(served.at).await {
        let request = Request::post("/orders/7?expand=lines&x=%2F")
            .header("x-user", "ann")
            .header("te", "trailers")
            .header("x-envoy-retry-on", "5xx")
            .body(Full::from("two of them"))
            .unwrap();
        let response = client.send(request).await.unwrap();
        assert_eq!(response.headers()["server"], "envoy");
        assert!(response.headers().contains_key("date"));
        let seen = report(response).await;
        assert_eq!(seen.method, "POST");
        assert_eq!(seen.path, "/orders/7?expand=lines&x=%2F");
        assert_eq!(seen.authority, "shop.test");
        assert_eq!(seen.headers["x-user"], ["ann"]);
        assert_eq!(seen.headers["te"], ["trailers"]);
        assert_eq!(seen.headers["x-forwarded-proto"], ["http"]);
        assert_eq!(seen.headers["x-request-id"].len(), 1);
        assert!(!seen.headers.contains_key("x-envoy-retry-on"));
        assert_eq!(seen.body.as_deref(), Some("two of them"));
    }
}

#[tokio::test]
async fn an_answer_arrives_as_it_was_given() {
    let server = EchoServer::http1().start();
    let served = serve_to(&[server.socket()]);
    for mut client in Client::both(served.at).await {
        let request = Request::get("/")
            .header("x-echo-status", "418")
            .header("x-echo-headers", "x-a=1,connection=x-b,x-b=2,server=theirs")
            .header("x-echo-body-size", "300000")
            .body(Full::default())
            .unwrap();
        let response = client.send(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
        let headers = response.headers().clone();
        assert_eq!(headers["x-a"], "1");
        assert_eq!(headers["server"], "envoy");
        assert!(!headers.contains_key("x-b"));
        assert_eq!(text(response).await.len(), 300_000);
    }
}

#[tokio::test]
async fn a_request_that_no_route_takes_is_not_found() {
    let discovery = Discovery::Static(Arc::new(EndpointsConfig::of([])));
    let cluster = ClusterConfig::new("shop", discovery, Dialect::Envoy);
    let mut routes = RouteConfig::to_cluster("shop".into(), Dialect::Envoy);
    routes.virtual_hosts[0].domains = vec![DomainPattern::from("another.test")];
    let snapshot = SnapshotBuilder::new("in").routes(routes).cluster(cluster);
    let snapshot = snapshot.build().unwrap();
    let served = serve(snapshot, ListenOptions::default());
    for mut client in Client::both(served.at).await {
        let response = client.get("/a").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(text(response).await, "");
    }
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_unavailable_in_the_callers_way() {
    let nobody = mesh_testkit::dead::refusing_address();
    let served = serve_to(&[nobody.socket()]);
    let text_of_it = "upstream connect error or disconnect/reset before headers. \
                      reset reason: remote connection failure";
    for mut client in Client::both(served.at).await {
        let response = client.get("/a").await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["content-type"], "text/plain");
        assert_eq!(text(response).await, text_of_it);
    }
    let request = Request::post("/shop.v1.Shop/Get")
        .header("content-type", "application/grpc")
        .body(Full::<Bytes>::default())
        .unwrap();
    let mut client = Client::http2(served.at).await;
    let response = client.send(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["grpc-status"], "14");
    assert_eq!(response.headers()["grpc-message"], text_of_it);
}
