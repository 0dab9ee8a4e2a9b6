//! The real Envoy, as an oracle.

use std::{
    collections::HashMap,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::log::{self, Lines};

/// How long it may take until it has all of its configuration.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Envoy. Dropping it kills it.
#[derive(Debug)]
pub struct Envoy {
    _child: Child,
    _files: TempDir,
    admin: SocketAddr,
    pub(crate) lines: Lines,
}

impl Envoy {
    /// The program; `None`, with a word to whoever reads, if it is not installed. In CI it has to be.
    #[must_use]
    pub fn installed() -> Option<PathBuf> {
        let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ci/venv/lib");
        let pythons = std::fs::read_dir(venv).into_iter().flatten().flatten();
        let mut places = pythons.map(|it| it.path().join("site-packages/envoy/_bin/envoy"));
        let found = places.find(|place| place.exists());
        if found.is_none() {
            let missing = "envoy is not installed (run .ci/setup --peers)";
            let required = std::env::var_os("MESH_REQUIRE_PEERS").is_some_and(|it| it == "1");
            assert!(!required, "{missing}, and MESH_REQUIRE_PEERS=1 is set");
            // Not by a macro: what those print, a passing test keeps to itself.
            let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
        }
        found
    }

    /// Starts it as a client of the control plane at `plane`.
    pub async fn start(program: &Path, plane: SocketAddr) -> Self {
        let files = TempDir::new().unwrap();
        let (config, admin) = (files.path().join("envoy.json"), files.path().join("admin"));
        std::fs::write(&config, bootstrap(plane).to_string()).unwrap();
        let mut child = Command::new(program)
            .arg("-c")
            .arg(&config)
            .arg("--admin-address-path")
            .arg(&admin)
            .args(["--use-dynamic-base-id", "--concurrency", "1"])
            .args(["--log-level", "error", "--file-flush-interval-msec", "5"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = Lines::default();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let read = lines.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = output.next_line().await {
                if let Some((id, line)) = log::read(&line) {
                    read.add(&id, line);
                }
            }
        });
        let admin = timeout(PATIENCE, address_in(&admin)).await.unwrap();
        Self {
            _child: child,
            _files: files,
            admin,
            lines,
        }
    }

    /// Waits until it serves so many listeners, and says where it listens for each.
    pub async fn listeners(&self, count: usize) -> HashMap<String, SocketAddr> {
        let all = async {
            loop {
                let listeners = self.ask("/listeners?format=json").await;
                let listeners = addresses(&listeners);
                if listeners.len() == count && self.ask("/ready").await.starts_with("LIVE") {
                    return listeners;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        match timeout(PATIENCE, all).await {
            Ok(all) => all,
            Err(_) => panic!("Envoy has not all: {}", self.ask("/config_dump").await),
        }
    }

    async fn ask(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.admin).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
        // In one chunk, or by its length.
        let body = body.unwrap_or_default();
        match body.split_once("\r\n") {
            Some((size, rest)) if size.chars().all(|c| c.is_ascii_hexdigit()) => rest.to_owned(),
            _ => body.to_owned(),
        }
    }
}

async fn address_in(file: &Path) -> SocketAddr {
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if let Ok(address) = text.trim().parse() {
            return address;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// Reads `/listeners?format=json`, of which the end may be missing in chunks.
fn addresses(text: &str) -> HashMap<String, SocketAddr> {
    let end = text.rfind('}').map_or(0, |end| end + 1);
    let listeners: Value = serde_json::from_str(&text[..end]).unwrap_or_default();
    let listeners = listeners["listener_statuses"].as_array().cloned();
    let address = |listener: Value| {
        let name = listener["name"].as_str()?.to_owned();
        let at = &listener["local_address"]["socket_address"];
        let at = format!("{}:{}", at["address"].as_str()?, at["port_value"].as_u64()?);
        Some((name, at.parse().ok()?))
    };
    listeners
        .into_iter()
        .flatten()
        .filter_map(address)
        .collect()
}

fn bootstrap(plane: SocketAddr) -> Value {
    let http2 = json!({
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": { "http2_protocol_options": {} },
    });
    let address = |at: SocketAddr| json!({ "socket_address": { "address": at.ip().to_string(), "port_value": at.port() } });
    let ads = json!({ "ads": {}, "resource_api_version": "V3" });
    json!({
        "node": { "id": "envoy", "cluster": "envoy" },
        "admin": { "address": address(([127, 0, 0, 1], 0).into()) },
        "dynamic_resources": {
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{ "envoy_grpc": { "cluster_name": "plane" } }],
            },
            "lds_config": ads,
            "cds_config": ads,
        },
        "static_resources": { "clusters": [{
            "name": "plane",
            "type": "STATIC",
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2,
            },
            "load_assignment": {
                "cluster_name": "plane",
                "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(plane) } }] }],
            },
        }] },
    })
}
