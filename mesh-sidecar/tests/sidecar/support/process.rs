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

    /// The only series of that name that has these labels, once it reaches `least`: some are published
    /// a few seconds late.
    pub(crate) async fn counted(&self, name: &str, labels: &[&str], least: f64) -> f64 {
        let reached = async {
            loop {
                let (_, page) = self.page("/metrics").await;
                match value(&page, name, labels) {
                    Some(value) if value >= least => return value,
                    _ => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        };
        timeout(PATIENCE, reached).await.expect(name)
    }

    /// How many bytes of memory it has.
    pub(crate) fn memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id().unwrap());
        let status = std::fs::read_to_string(status).unwrap();
        let resident = status.split("VmRSS:").nth(1).unwrap();
        let kib: u64 = resident.split_whitespace().next().unwrap().parse().unwrap();
        kib << 10
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

/// The value of the only series of `name` that has these labels.
fn value(page: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let of_name = page.lines().filter(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
    });
    let mut found = of_name.filter(|line| labels.iter().all(|label| line.contains(label)));
    let (Some(only), None) = (found.next(), found.next()) else {
        return None;
    };
    only.rsplit_once(' ')?.1.parse().ok()
}
