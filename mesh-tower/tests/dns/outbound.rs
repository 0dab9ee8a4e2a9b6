//! Requests to such targets, through a mesh to real servers.

use std::{
    net::{Ipv6Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use mesh_core::{ErrorKind, config::Dialect};
use mesh_testkit::{
    echo::{EchoReport, EchoServer},
    refusing_address,
};
use mesh_tower::{
    HttpClient, Mesh,
    source::{DirectConfig, Sources},
};
use tokio::time::{Instant, timeout};

use crate::support::{Script, here};

fn get(path: &str) -> Request<Full<Bytes>> {
    let uri = format!("http://shop.test:8080{path}");
    Request::get(uri).body(Full::default()).unwrap()
}

async fn report(client: &HttpClient, path: &str) -> EchoReport {
    let response = client.send(get(path)).await.unwrap();
    assert_eq!(response.status(), 200);
    EchoReport::parse(&response.into_body().collect().await.unwrap().to_bytes())
}

fn mesh(sources: Sources) -> Mesh {
    Mesh::builder().source(sources).spawn().unwrap()
}

#[tokio::test]
async fn a_name_is_called_over_either_protocol() {
    for (config, server) in [
        (DirectConfig::of(Dialect::Grpc), EchoServer::http2().start()),
        (
            DirectConfig::of(Dialect::Envoy),
            EchoServer::http1().start(),
        ),
    ] {
        let mesh = mesh(Sources::new(config, here()));
        let target = format!("dns:///localhost:{}", server.socket().port());
        let seen = report(&mesh.http_client(target), "/a/b?c=d%20e").await;
        assert_eq!(seen.path, "/a/b?c=d%20e");
        assert_eq!(seen.authority, "shop.test:8080");
    }
}

#[tokio::test]
async fn a_list_and_a_socket_are_called() {
    let (one, two) = (EchoServer::http2().start(), EchoServer::http2().start());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("echo.sock");
    let three = EchoServer::http2().bind_unix(&path).unwrap();
    let mesh = mesh(Sources::new(DirectConfig::of(Dialect::Grpc), here()));
    let client = mesh.http_client(format!("ipv4:{},{}", one.socket(), two.socket()));
    let both = async {
        while one.count() == 0 || two.count() == 0 {
            report(&client, "/either").await;
        }
    };
    timeout(Duration::from_secs(30), both).await.unwrap();
    report(
        &mesh.http_client(format!("unix://{}", path.display())),
        "/socket",
    )
    .await;
    assert_eq!(three.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_to_a_name_without_addresses_fails_at_once_and_says_so() {
    let sources = Sources::new(DirectConfig::of(Dialect::Grpc), here());
    let mesh = mesh(sources.resolver(Script::new([Err("no such name")])));
    let begin = Instant::now();
    let error = mesh
        .http_client("dns:///shop.test:80")
        .send(get("/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotReady);
    let text = error.to_string();
    assert!(
        text.contains("no address for shop.test: no such name"),
        "{text}"
    );
    assert!(Instant::now() - begin < Duration::from_secs(1));
}

#[tokio::test]
async fn a_request_to_xds_without_a_bootstrap_says_so() {
    let mesh = mesh(Sources::new(DirectConfig::of(Dialect::Grpc), here()));
    let error = mesh
        .http_client("greeter")
        .send(get("/"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no xDS bootstrap"), "{error}");
}

#[tokio::test]
async fn an_address_that_nobody_serves_costs_no_request() {
    for (config, server) in [
        (DirectConfig::of(Dialect::Grpc), EchoServer::http2().start()),
        (
            DirectConfig::of(Dialect::Envoy),
            EchoServer::http1().start(),
        ),
    ] {
        let nobody = refusing_address();
        // Also where the machine has no IPv6: then it is this address that cannot be reached.
        let other_family = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), server.socket().port());
        let script = Script::new([Ok(vec![nobody.socket(), server.socket(), other_family])]);
        let mesh = mesh(Sources::new(config, here()).resolver(script));
        let client = mesh.http_client("dns:///shop.test:80");
        for i in 0..12 {
            report(&client, &format!("/{i}")).await;
        }
        assert_eq!(server.count(), 12);
    }
}
