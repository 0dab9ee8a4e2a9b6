//! The page before another's eyes: Prometheus' own client library for Python reads it.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use mesh_core::observe::Observer;
use mesh_telemetry::{MetricsObserver, PrometheusRecorder};

use crate::support::World;

/// Reads a page from its input; prints a line for each family: name, type, number of samples.
const SCRIPT: &str = "
import sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    print(family.name, family.type, len(family.samples))
    for sample in family.samples:
        if sample.name == 'odd_total':
            print(sorted(sample.labels.items()), sample.value)
";

/// What the parser says of this page; `None`, with a word to whoever reads, if it is not installed.
fn parsed(page: &str) -> Option<String> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let python = repository.join(".ci/venv/bin/python");
    let installed = Command::new(&python)
        .args(["-c", "import prometheus_client"])
        .output();
    if !installed.is_ok_and(|found| found.status.success()) {
        let missing = "prometheus_client is not installed (run .ci/setup --peers)";
        let required = std::env::var_os("MESH_REQUIRE_PEERS").is_some_and(|value| value == "1");
        assert!(!required, "{missing}, and MESH_REQUIRE_PEERS=1 is set");
        // Not by a macro: what those print, a passing test keeps to itself.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
        return None;
    }
    let mut child = Command::new(&python)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(page.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "the parser refuses the page:\n{page}"
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn prometheus_own_parser_reads_the_page() {
    let recorder = PrometheusRecorder::new();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let observer = MetricsObserver::new();
    let mut world = World::new(observer.clone());
    world.call().await.unwrap();
    world.get("/shop/a").await;
    observer.publish();
    let odd = "say \"hi\" \\ and\n, then {leave}";
    metrics::counter!("odd", "text" => odd, "other" => "b").increment(7);
    metrics::gauge!("none").set(f64::NAN);
    metrics::gauge!("all").set(f64::INFINITY);
    metrics::describe_gauge!("all", "A \\ and\nanother line.");
    let Some(parsed) = parsed(&recorder.page().render()) else {
        return;
    };
    // 41 buckets and the last, sum and count; the parser takes `_total` off.
    for line in [
        "grpc_client_call_duration_seconds histogram 44",
        "http_client_request_duration_seconds histogram 17",
        "grpc_client_attempt_started counter 1",
        "mesh_cluster_endpoints gauge 8",
        "all gauge 1",
        "none gauge 1",
        "[('other', 'b'), ('text', 'say \"hi\" \\\\ and\\n, then {leave}')] 7",
    ] {
        assert!(parsed.lines().any(|it| it == line), "{line}:\n{parsed}");
    }
}
