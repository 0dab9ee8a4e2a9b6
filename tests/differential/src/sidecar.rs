//! The sidecar: the program itself.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::log::{Line, Lines};

/// How long it may take to be built, and then to have its configuration.
const PATIENCE: Duration = Duration::from_secs(600);

/// A running sidecar. Dropping it kills it.
#[derive(Debug)]
pub struct Sidecar {
    _child: Child,
    /// Where it listens for each listener.
    pub(crate) listeners: HashMap<String, SocketAddr>,
    pub(crate) lines: Lines,
}

impl Sidecar {
    /// Builds it, and starts it for these listeners of the control plane at `plane`.
    pub async fn start(plane: SocketAddr, listeners: &[String]) -> Self {
        let bootstrap = json!({
            "xds_servers": [{ "server_uri": plane.to_string(), "channel_creds": [{ "type": "insecure" }] }],
            "node": { "id": "sidecar" },
        });
        let mut command = Command::new(built().await);
        command
            .env("GRPC_XDS_BOOTSTRAP_CONFIG", bootstrap.to_string())
            .env_remove("GRPC_XDS_BOOTSTRAP")
            .args(["--workers", "1", "--admin", "127.0.0.1:0"])
            .args(["--log-level", "warn,mesh::access=debug"]);
        for listener in listeners {
            command.arg("--listen");
            command.arg(format!("127.0.0.1:0={listener}"));
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = Lines::default();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let read = lines.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = log.next_line().await {
                match read_line(&line) {
                    Some((id, line)) => read.add(&id, line),
                    None => eprintln!("sidecar: {line}"),
                }
            }
        });
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut at, mut admin) = (HashMap::new(), None);
        while admin.is_none() {
            let line = timeout(PATIENCE, output.next_line()).await.unwrap();
            let line = line.unwrap().expect("a line that says where it listens");
            if let Some(address) = line.strip_prefix("admin on ") {
                admin = Some(address.parse().unwrap());
            } else if let Some(rest) = line.strip_prefix("listening on ") {
                let (address, name) = rest.split_once(" for ").unwrap();
                at.insert(name.to_owned(), address.parse().unwrap());
            }
        }
        timeout(PATIENCE, ready(admin.unwrap())).await.unwrap();
        Self {
            _child: child,
            listeners: at,
            lines,
        }
    }
}

/// Builds the program and says where it is.
async fn built() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let build = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["build", "--locked", "--quiet", "-p", "mesh-sidecar"])
        .args(["--message-format", "json"])
        .stderr(Stdio::inherit())
        .output();
    let built = timeout(PATIENCE, build).await.unwrap().unwrap();
    assert!(built.status.success(), "the sidecar does not build");
    let messages = String::from_utf8(built.stdout).unwrap();
    let executable = messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    executable.expect("an executable among cargo's messages")
}

async fn ready(admin: SocketAddr) {
    loop {
        let mut stream = TcpStream::connect(admin).await.unwrap();
        let request = "GET /ready HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        if answer.starts_with("HTTP/1.1 200") {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Reads `answered request_id="..." .. flags="" details="..."`.
fn read_line(line: &str) -> Option<(String, Line)> {
    let (_, fields) = line.split_once(" answered ")?;
    let field = |name: &str| {
        let (_, rest) = fields.split_once(&format!("{name}=\""))?;
        let (value, _) = rest.split_once('"')?;
        Some(value.to_owned())
    };
    let flags = Some(field("flags")?).filter(|it| !it.is_empty());
    let line = Line {
        flags: flags.unwrap_or_else(|| "-".to_owned()),
        details: field("details")?,
    };
    Some((field("request_id")?, line))
}
