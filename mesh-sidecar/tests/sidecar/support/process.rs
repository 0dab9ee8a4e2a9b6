//! The program, running.

use std::{net::SocketAddr, process::ExitStatus, time::Duration};

use mesh_testkit::ControlPlane;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use super::client::{get, text};

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const SIDECAR: &str = env!("CARGO_BIN_EXE_mesh-sidecar");

/// A sidecar that runs. Dropping it kills it.
pub(crate) struct Sidecar {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub(crate) at: SocketAddr,
    /// Where it listens for what else it was told to.
    pub(crate) others: Vec<SocketAddr>,
    pub(crate) admin: SocketAddr,
}

impl Sidecar {
    /// One with an admin page, for the listener `outbound` of `plane`.
    pub(crate) async fn start(plane: &ControlPlane, arguments: &[&str]) -> Self {
        let child = command()
            .env("GRPC_XDS_BOOTSTRAP_CONFIG", bootstrap(plane.socket()))
            .args(["--listen", "127.0.0.1:0=outbound", "--admin", "127.0.0.1:0"])
            .args(arguments)
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = child.unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let at = listening(&next(&mut lines).await).expect("where it listens");
        let mut others = Vec::new();
        loop {
            let line = next(&mut lines).await;
            if let Some(admin) = line.strip_prefix("admin on ") {
                let admin = admin.parse().unwrap();
                return Self {
                    child,
                    lines,
                    at,
                    others,
                    admin,
                };
            }
            others.push(listening(&line).expect("where it listens too"));
        }
    }

    /// A page of its administration: status and text.
    pub(crate) async fn page(&self, path: &str) -> (u16, String) {
        let answer = get(self.admin, "admin", path).await;
        (answer.status().as_u16(), text(answer).await)
    }

    /// Waits until it can serve.
    pub(crate) async fn ready(&self) {
        let ready = async {
            while get(self.admin, "admin", "/ready").await.status() != 200 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, ready).await.unwrap();
    }

    /// Sends it SIGTERM.
    pub(crate) async fn terminate(&self) {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(sent.unwrap().success());
    }

    pub(crate) async fn ended(mut self) -> ExitStatus {
        let status = timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        assert_eq!(self.lines.next_line().await.unwrap(), None);
        status
    }
}

async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    line.expect("a line that says where it listens")
}

fn listening(line: &str) -> Option<SocketAddr> {
    let (address, _) = line.strip_prefix("listening on ")?.split_once(" for ")?;
    address.parse().ok()
}

pub(crate) fn command() -> Command {
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
