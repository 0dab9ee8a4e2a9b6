//! Targets that need no control plane, through the facade.

use http::Request;
use mesh::{Error, Mesh};
use mesh_testkit::{
    EchoServer, GrpcEcho,
    echo::EchoReport,
    generated::mesh::test::v1::{EchoRequest, echo_client::EchoClient},
};

#[tokio::test]
async fn a_channel_takes_lists_names_and_sockets() {
    let server = GrpcEcho::start("v1");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("echo.sock");
    let local = GrpcEcho::builder()
        .server_id("local")
        .bind(path.as_path())
        .unwrap();
    let mesh = Mesh::builder().spawn().unwrap();
    let port = server.socket().port();
    let targets = [
        (
            format!("ipv4:{}", server.socket()),
            server.socket().to_string(),
            "v1",
        ),
        (
            format!("dns:///localhost:{port}"),
            format!("localhost:{port}"),
            "v1",
        ),
        (
            format!("unix:{}", path.display()),
            "localhost".to_owned(),
            "local",
        ),
    ];
    for (target, authority, id) in targets {
        let channel = mesh.channel(&target).unwrap();
        channel.ready().await.unwrap();
        let reply = EchoClient::new(channel)
            .unary(EchoRequest::default())
            .await
            .unwrap();
        let reply = reply.into_inner();
        assert_eq!(
            (reply.authority, reply.server_id.as_str()),
            (authority, id),
            "{target}"
        );
    }
    drop(local);
}

#[tokio::test]
async fn an_http_client_speaks_http1_to_a_list() {
    let server = EchoServer::http1().start();
    let mesh = Mesh::builder().spawn().unwrap();
    let client = mesh
        .http_client(&format!("ipv4:{}", server.socket()))
        .unwrap();
    let request = Request::get("http://shop.test/a?b=c")
        .body(String::new())
        .unwrap();
    let response = client.send(request).await.unwrap();
    let body = http_body_util::BodyExt::collect(response.into_body())
        .await
        .unwrap();
    let seen = EchoReport::parse(&body.to_bytes());
    assert_eq!(
        (&*seen.version, &*seen.path, &*seen.authority),
        ("HTTP/1.1", "/a?b=c", "shop.test")
    );
}

#[tokio::test]
async fn what_cannot_be_called_is_said_at_once() {
    let mesh = Mesh::builder().spawn().unwrap();
    let error = mesh.channel("xds:///greeter").unwrap_err();
    assert!(matches!(error, Error::NoControlPlane(_)), "{error}");
    let error = mesh.channel("greeter").unwrap_err();
    assert!(error.to_string().contains("has no scheme"), "{error}");
}
