//! Very many connections on which nothing happens.

use std::process::Command;

use mesh_testkit::EchoServer;
use tokio::{net::TcpStream, time::timeout};

use crate::support::{Connection, PATIENCE, Sidecar, get, text, to};

const CONNECTIONS: usize = 10_000;

/// How many file descriptors everything else may need.
const SPARE: usize = 2_000;

/// How many bytes of memory one may take: of those that never said a word, and of those that did.
const SILENT: u64 = 4 << 10;
const HEARD: u64 = 48 << 10;

#[tokio::test]
async fn ten_thousand_connections_cost_little_and_go_when_they_are_told_to() {
    let files = files();
    let count = CONNECTIONS.min(files.saturating_sub(SPARE));
    if count < CONNECTIONS {
        // Not by a macro: what those print, a passing test keeps to itself.
        let said =
            format!("{count} idle connections, not {CONNECTIONS}: {files} files may be open\n");
        let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
    }
    let server = EchoServer::http1().start();
    let plane = to(server.socket()).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "2"]).await;
    sidecar.ready().await;
    assert_eq!(get(sidecar.at, "shop.test", "/a").await.status(), 200);
    let before = sidecar.memory();
    let (heard, silent) = (count / 10, count - count / 10);
    let mut silents = Vec::with_capacity(silent);
    for _ in 0..silent {
        silents.push(TcpStream::connect(sidecar.at).await.unwrap());
    }
    // Behind all of them, on each worker.
    for _ in 0..8 {
        assert_eq!(get(sidecar.at, "shop.test", "/a").await.status(), 200);
    }
    let grown = sidecar.memory().saturating_sub(before);
    assert!(grown < (4 << 20) + silent as u64 * SILENT, "{grown}");
    let before = sidecar.memory();
    let mut connections = Vec::with_capacity(heard);
    for number in 0..heard {
        let mut connection = match number % 2 {
            0 => Connection::http1(sidecar.at).await,
            _ => Connection::http2(sidecar.at).await,
        };
        let request = connection.request("/a", "");
        let answer = connection.send(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        text(answer).await;
        connections.push(connection);
    }
    let grown = sidecar.memory().saturating_sub(before);
    assert!(grown < (4 << 20) + heard as u64 * HEARD, "{grown}");
    sidecar.terminate().await;
    assert!(sidecar.ended().await.success());
    for mut connection in connections {
        // The task that reads its end need not have run yet.
        let told = async {
            while connection.ready().await {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, told).await.unwrap();
    }
    drop(silents);
}

/// How many files a process may have open: as many as the system lets us raise it to.
fn files() -> usize {
    let limits = || std::fs::read_to_string("/proc/self/limits").unwrap();
    let soft_and_hard = |limits: &str| {
        let line = limits
            .lines()
            .find(|line| line.starts_with("Max open files"));
        let numbers = line.unwrap().split_whitespace().filter_map(|it| match it {
            "unlimited" => Some(usize::MAX),
            it => it.parse().ok(),
        });
        numbers.collect::<Vec<usize>>()
    };
    let [soft, hard] = soft_and_hard(&limits())[..] else {
        return CONNECTIONS + SPARE;
    };
    let wanted = hard.min(2 * CONNECTIONS);
    if soft < wanted {
        // Of this process, and so of those that it starts. Where there is no such program, as it is.
        let process = std::process::id().to_string();
        let limit = format!("--nofile={wanted}:{hard}");
        let _ = Command::new("prlimit")
            .args(["--pid", &process, &limit])
            .status();
    }
    soft_and_hard(&limits())[0]
}
