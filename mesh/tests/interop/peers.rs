//! Foreign programs as child processes: told by lines, answering in lines of JSON.

use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// How long any one thing may take. Only a failing test waits as long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A program that is installed.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    name: &'static str,
    executable: PathBuf,
    script: Option<PathBuf>,
}

impl Program {
    /// The Go program in `interop/go-control-plane`.
    pub(crate) fn go_control_plane() -> Option<Self> {
        let executable = repository().join("interop/go-control-plane/go-control-plane");
        Self::installed("go-control-plane", executable, None)
    }

    /// A script of `interop/grpcio`, in the environment that has gRPC C-core.
    pub(crate) fn grpcio(script: &str) -> Option<Self> {
        let script = repository().join("interop/grpcio").join(script);
        Self::installed(
            "grpcio",
            repository().join(".ci/venv/bin/python"),
            Some(script),
        )
    }

    /// `None`, with a word to whoever reads, if the program is missing.
    fn installed(name: &'static str, executable: PathBuf, script: Option<PathBuf>) -> Option<Self> {
        if executable.exists() {
            return Some(Self {
                name,
                executable,
                script,
            });
        }
        let missing = format!("{name} is not installed (run .ci/setup --peers)");
        let required = std::env::var_os("MESH_REQUIRE_PEERS").is_some_and(|value| value == "1");
        assert!(!required, "{missing}, and MESH_REQUIRE_PEERS=1 is set");
        // Not by a macro: what those print, a passing test keeps to itself.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
        None
    }

    /// Starts it.
    pub(crate) fn start(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Peer {
        let mut child = Command::new(&self.executable)
            .args(&self.script)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.executable.display()));
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Peer {
            name: self.name,
            child,
            stdin,
            stdout: BufReader::new(stdout).lines(),
        }
    }

    /// Starts a program that says first where it listens.
    pub(crate) async fn serve(&self, arguments: &[&str]) -> (Peer, SocketAddr) {
        let mut peer = self.start(arguments, &[]);
        let first = peer.read().await;
        let listening = first["listening"].as_str().unwrap_or_default();
        let address = listening
            .parse()
            .unwrap_or_else(|error| panic!("{}: listens on {first}: {error}", self.name));
        (peer, address)
    }
}

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Peer {
    name: &'static str,
    child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Writes a line, and gives the line that answers it.
    pub(crate) async fn ask(&mut self, line: &str) -> Value {
        let bytes = format!("{line}\n");
        let written = self.stdin.write_all(bytes.as_bytes());
        match timeout(PATIENCE, written).await {
            Ok(Ok(())) => self.read().await,
            failed => panic!("{}: {line:?} cannot be written: {failed:?}", self.name),
        }
    }

    /// Asks for what must succeed.
    pub(crate) async fn command(&mut self, line: &str) {
        let answer = self.ask(line).await;
        assert_eq!(answer["ok"], true, "{}: {line:?}: {answer}", self.name);
    }

    /// Ends it as a crash would, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        let killed = timeout(PATIENCE, self.child.kill()).await;
        assert!(matches!(killed, Ok(Ok(()))), "{}: {killed:?}", self.name);
    }

    async fn read(&mut self) -> Value {
        match timeout(PATIENCE, self.stdout.next_line()).await {
            Ok(Ok(Some(line))) => serde_json::from_str(&line)
                .unwrap_or_else(|error| panic!("{}: {line:?}: {error}", self.name)),
            other => panic!("{} ended or said nothing: {other:?}", self.name),
        }
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
