//! Endpoints behind Unix sockets.

use std::{error::Error as _, path::Path, sync::Arc};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use mesh_core::{
    ErrorKind,
    config::{Address, ClusterConfig, Dialect, Discovery, EndpointsConfig, Protocol},
};
use mesh_testkit::echo::EchoServer;

use crate::support::{PROTOCOLS, failure, mesh, read, request, simple};

fn cluster(protocol: Protocol, path: &Path) -> ClusterConfig {
    let endpoints = EndpointsConfig::of([Address::Unix(path.to_owned())]);
    let discovery = Discovery::Static(Arc::new(endpoints));
    let mut cluster = ClusterConfig::new("socket", discovery, Dialect::Envoy);
    cluster.protocol = protocol;
    cluster
}

#[tokio::test]
async fn a_request_arrives_through_a_socket_as_it_was_sent() {
    for protocol in PROTOCOLS {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app 7.sock");
        let server = match protocol {
            Protocol::Http1(_) => EchoServer::http1(),
            Protocol::Http2(_) => EchoServer::http2(),
        };
        let server = server.bind_unix(&path).unwrap();
        let (mesh, _source) = mesh(simple(cluster(protocol, &path)));
        let client = mesh.http_client("shop");
        for _ in 0..2 {
            let request = Request::post("http://eu.shop.test:8080/orders/7%2F8?sort=up&empty=")
                .header("x-twice", "a")
                .header("x-twice", "b")
                .body(Full::new(Bytes::from("two apples")));
            let seen = read(client.send(request.unwrap()).await.unwrap()).await;
            assert_eq!(seen.path, "/orders/7%2F8?sort=up&empty=");
            assert_eq!(seen.authority, "eu.shop.test:8080");
            assert_eq!(seen.headers["x-twice"], ["a", "b"]);
            assert_eq!(seen.body.as_deref(), Some("two apples"));
        }
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_an_error_that_says_so() {
    for protocol in PROTOCOLS {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gone.sock");
        let (mesh, _source) = mesh(simple(cluster(protocol, &path)));
        let error = failure(&mesh.http_client("shop"), request("/")).await;
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert_eq!(error.message(), "could not connect");
        let reason = error.source().unwrap().to_string();
        assert!(reason.starts_with("No such file"), "{reason}");
        assert!(error.to_string().contains("gone.sock"), "{error}");
    }
}
