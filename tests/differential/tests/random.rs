//! Random route tables and requests: `MESH_TABLES` of them, from `MESH_SEED` on.

use std::{io::Write as _, time::Instant};

use mesh_differential::{Envoy, random};

#[tokio::test]
async fn we_route_random_requests_as_envoy_does() {
    let Some(envoy) = Envoy::installed() else {
        return;
    };
    let (seed, tables) = (number("MESH_SEED", 0x5eed), number("MESH_TABLES", 1_000));
    let began = Instant::now();
    let report = random::run(&envoy, seed, tables).await;
    let text = format!(
        "MESH_SEED={seed}: {} tables and {} requests in {:?}, answered by {:?}, {} differ; {} of {} spoilt tables refused",
        report.tables,
        report.requests,
        Instant::now() - began,
        report.answers,
        report.differing,
        report.refused,
        report.spoilt
    );
    // Not by a macro: what those print, a passing test keeps to itself.
    let _ = writeln!(std::io::stderr(), "{text}");
    assert!(
        report.differences.is_empty(),
        "{text}\n{}",
        report.differences.join("\n")
    );
    // Agreement on nothing would be none.
    let of = |who: &str| report.answers.get(who).copied().unwrap_or_default();
    if tables >= 100 {
        for who in ["a", "b", "c", "d", "404", "503"] {
            let share = of(who) as f64 / report.requests as f64;
            assert!(share > 0.02, "too few are answered by {who}: {text}");
        }
        assert!(report.refused * 4 > report.spoilt, "{text}");
    }
}

fn number(name: &str, default: u64) -> u64 {
    let Ok(given) = std::env::var(name) else {
        return default;
    };
    let parsed = given.parse();
    assert!(parsed.is_ok(), "{name} is to be a number");
    parsed.unwrap_or(default)
}
