//! HTTP/2 as `h2spec` has it: every test of the protocol and of header compression that it knows,
//! the strict ones included.

use std::{io::Write as _, path::Path};

use mesh_testkit::{ControlPlane, EchoServer, xds};
use tokio::{process::Command, time::timeout};

use crate::support::{PATIENCE, Sidecar};

/// What it finds and we leave so, with the reason.
const KNOWN: &[(&str, &str)] = &[(
    "http2/3.5 Sends invalid connection preface",
    "what does not begin as HTTP/2 is HTTP/1.1 here: before the connection ends it is answered with 400",
)];

#[tokio::test]
async fn it_finds_no_more_than_is_known() {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop/h2spec/h2spec");
    if !program.exists() {
        let missing = "h2spec is not installed (run .ci/setup --peers)";
        let required = std::env::var_os("MESH_REQUIRE_PEERS").is_some_and(|it| it == "1");
        assert!(!required, "{missing}, and MESH_REQUIRE_PEERS=1 is set");
        // Not by a macro: what those print, a passing test keeps to itself.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
        return;
    }
    let server = EchoServer::http1().start();
    let plane = ControlPlane::start().await;
    plane.set((
        xds::listener("outbound", "routes"),
        xds::route_config("routes").host(&["*"], [xds::to("a").prefix("/")]),
        xds::cluster("a").http1(),
        xds::endpoints("a", &[server.socket()]),
    ));
    let sidecar = Sidecar::start(&plane, &["--workers", "1"]).await;
    sidecar.ready().await;
    let report = tempfile::NamedTempFile::new().unwrap();
    let run = Command::new(program)
        .args([
            "--host",
            "127.0.0.1",
            "--path",
            "/a",
            "--timeout",
            "5",
            "--strict",
        ])
        .args(["--port", &sidecar.at.port().to_string()])
        .arg("--junit-report")
        .arg(report.path())
        .kill_on_drop(true)
        .output();
    let output = timeout(5 * PATIENCE, run).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let report = std::fs::read_to_string(report.path()).unwrap();
    let cases: Vec<_> = report.split("<testcase ").skip(1).collect();
    assert!(cases.len() > 100, "{}: {said}", cases.len());
    let wrong = ["<failure", "<error", "<skipped"];
    let failed = cases
        .iter()
        .filter(|case| wrong.iter().any(|it| case.contains(it)));
    let failed: Vec<_> = failed
        .map(|case| {
            format!(
                "{} {}",
                attribute(case, "package"),
                attribute(case, "classname")
            )
        })
        .collect();
    let known: Vec<_> = KNOWN.iter().map(|(case, _)| (*case).to_owned()).collect();
    assert_eq!(failed, known, "{said}");
    let summary = format!(", 0 skipped, {} failed", known.len());
    assert!(said.contains(&summary), "{said}");
}

fn attribute<'t>(case: &'t str, name: &str) -> &'t str {
    let value = case.split(&format!("{name}=\"")).nth(1);
    value
        .and_then(|it| it.split('"').next())
        .unwrap_or_default()
}
