//! The program itself, between real clients, a control plane and real services.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::{net::SocketAddr, process::ExitStatus, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use mesh_testkit::{ControlPlane, EchoServer, echo::EchoReport, xds};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

const SIDECAR: &str = env!("CARGO_BIN_EXE_mesh-sidecar");

/// A sidecar that runs. Dropping it kills it.
struct Sidecar {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    at: SocketAddr,
    admin: SocketAddr,
}

impl Sidecar {
    /// One with an admin page, for the listener `outbound` of `plane`.
    async fn start(plane: &ControlPlane, arguments: &[&str]) -> Self {
        let child = command()
            .env("GRPC_XDS_BOOTSTRAP_CONFIG", bootstrap(plane.socket()))
            .args(["--listen", "127.0.0.1:0=outbound", "--admin", "127.0.0.1:0"])
            .args(arguments)
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = child.unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let at = address(&mut lines, "listening on ", " for outbound").await;
        let admin = address(&mut lines, "admin on ", "").await;
        Self {
            child,
            lines,
            at,
            admin,
        }
    }

    /// Waits until it can serve.
    async fn ready(&self) {
        let ready = async {
            while get(self.admin, "admin", "/ready").await.status() != 200 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, ready).await.unwrap();
    }

    /// Sends it SIGTERM.
    async fn terminate(&self) {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(sent.unwrap().success());
    }

    async fn ended(mut self) -> ExitStatus {
        let status = timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        assert_eq!(self.lines.next_line().await.unwrap(), None);
        status
    }
}

async fn address(
    lines: &mut Lines<BufReader<ChildStdout>>,
    before: &str,
    after: &str,
) -> SocketAddr {
    let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    let line = line.expect("a line that says where it listens");
    let address = line
        .strip_prefix(before)
        .and_then(|it| it.strip_suffix(after));
    address.unwrap().parse().unwrap()
}

fn command() -> Command {
    let mut command = Command::new(SIDECAR);
    command
        .env_remove("GRPC_XDS_BOOTSTRAP")
        .env_remove("GRPC_XDS_BOOTSTRAP_CONFIG");
    command
}

fn bootstrap(plane: SocketAddr) -> String {
    format!(
        r#"{{"xds_servers":[{{"server_uri":"{plane}","channel_creds":[{{"type":"insecure"}}],
        "server_features":["xds_v3"]}}],"node":{{"id":"sidecar-1"}}}}"#
    )
}

/// A control plane that routes `shop.test/v2` to the second server and all else to the first.
async fn plane(servers: [&EchoServer; 2]) -> ControlPlane {
    let plane = ControlPlane::start().await;
    let routes = xds::route_config("routes").host(
        &["shop.test"],
        [
            xds::to("b").path_prefix("/v2").name("second"),
            xds::to("a").prefix("/").name("first"),
        ],
    );
    plane.set((
        xds::listener("outbound", "routes"),
        routes,
        vec![xds::cluster("a").http1(), xds::cluster("b").http1()],
        vec![
            xds::endpoints("a", &[servers[0].socket()]),
            xds::endpoints("b", &[servers[1].socket()]),
        ],
    ));
    plane
}

async fn connect(at: SocketAddr) -> http1::SendRequest<Full<Bytes>> {
    let io = TokioIo::new(TcpStream::connect(at).await.unwrap());
    let (sender, connection) = http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn request(host: &str, path: &str) -> Request<Full<Bytes>> {
    let request = Request::get(path).header("host", host);
    request.body(Full::default()).unwrap()
}

async fn get(at: SocketAddr, host: &str, path: &str) -> Response<Incoming> {
    let sent = connect(at).await.send_request(request(host, path)).await;
    sent.unwrap()
}

async fn text(response: Response<Incoming>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn requests_go_where_the_control_plane_says() {
    let servers = ["one", "two"].map(|id| EchoServer::http1().server_id(id).start());
    let plane = plane([&servers[0], &servers[1]]).await;
    for workers in ["1", "3"] {
        let sidecar = Sidecar::start(&plane, &["--workers", workers]).await;
        sidecar.ready().await;
        for _ in 0..6 {
            for (path, server) in [("/v2/a?b=c", "two"), ("/v1/a?b=c", "one")] {
                let answer = get(sidecar.at, "shop.test", path).await;
                assert_eq!(answer.status(), 200);
                let seen = EchoReport::parse(text(answer).await.as_bytes());
                assert_eq!(
                    (seen.server_id.as_str(), seen.path.as_str()),
                    (server, path)
                );
                assert_eq!(seen.authority, "shop.test");
            }
        }
        assert_eq!(get(sidecar.at, "other.test", "/").await.status(), 404);
    }
    assert_eq!(plane.streams_total(), 2, "one of each, for all its workers");
}

#[tokio::test]
async fn the_admin_page_tells_what_is_there_and_why() {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    let page = async |path: &str| {
        let answer = get(sidecar.admin, "admin", path).await;
        (answer.status().as_u16(), text(answer).await)
    };
    assert_eq!(page("/live").await, (200, "LIVE\n".to_owned()));
    let (status, why) = page("/explain?authority=shop.test&path=/v2/x").await;
    assert_eq!(status, 200);
    assert!(why.contains("route 0 \"second\": taken"), "{why}");
    assert!(why.contains("cluster \"b\": the only one"), "{why}");
    let (status, why) = page("/explain?authority=shop.test&path=/v2/x&colour=red").await;
    assert_eq!((status, why.as_str()), (400, "colour: is not known\n"));
    assert_eq!(get(sidecar.at, "shop.test", "/").await.status(), 200);
    let (_, clusters) = page("/clusters").await;
    let endpoint = format!("{}: Healthy, Ready, weight 1", servers[0].socket());
    assert!(clusters.contains(&endpoint), "{clusters}");
    let (_, clusters) = page("/clusters?format=json").await;
    let clusters: serde_json::Value = serde_json::from_str(&clusters).unwrap();
    assert_eq!(clusters.as_array().unwrap().len(), 2);
    let (_, dump) = page("/config_dump").await;
    let dump: serde_json::Value = serde_json::from_str(&dump).unwrap();
    assert_eq!(dump["control_planes"][0]["connected"], true);
    assert_eq!(dump["listeners"][0]["name"], "outbound");
    let routes = &dump["listeners"][0]["config"]["routes"];
    assert_eq!(routes[0]["route"]["name"], "second");
    let (status, contents) = page("/nothing").await;
    assert_eq!(status, 404);
    assert!(contents.contains("/explain"), "{contents}");
}

#[tokio::test]
async fn it_drains_when_it_is_told_to_end() {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "2"]).await;
    sidecar.ready().await;
    let mut client = connect(sidecar.at).await;
    servers[0].hold();
    let under_way = tokio::spawn(async move {
        let answer = client.send_request(request("shop.test", "/slow")).await;
        answer.unwrap()
    });
    servers[0]
        .wait_for("the request", |it| it.count() == 1)
        .await;
    sidecar.terminate().await;
    let draining = async {
        while get(sidecar.admin, "admin", "/ready").await.status() != 503 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, draining).await.unwrap();
    servers[0].release();
    let answer = under_way.await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["connection"], "close");
    assert!(sidecar.ended().await.success());
}

#[tokio::test]
async fn what_is_wrong_is_said_in_one_line() {
    let wrong = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(wrong.path(), r#"{"xds_servers": []}"#).unwrap();
    let wrong = wrong.path().to_str().unwrap();
    let listen = ["--listen", "127.0.0.1:0=outbound"];
    for (arguments, said) in [
        (vec![], "--listen <ADDRESS=LISTENER>"),
        (
            vec!["--listen", "15001"],
            "is not of the form ADDRESS=LISTENER",
        ),
        (vec!["--listen", "here=outbound"], "\"here\" is no address"),
        (vec!["--colour", "red"], "unexpected argument '--colour'"),
        (listen.to_vec(), "GRPC_XDS_BOOTSTRAP"),
        (
            [&listen[..], &["--bootstrap", wrong]].concat(),
            "xds_servers",
        ),
        ([&listen[..], &["--workers", "0"]].concat(), "--workers"),
    ] {
        let output = command().args(&arguments).output().await.unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(errors.contains(said), "{arguments:?}: {errors}");
    }
    let help = command().arg("--help").output().await.unwrap();
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("Example:") && help.contains("--drain-timeout"));
}
