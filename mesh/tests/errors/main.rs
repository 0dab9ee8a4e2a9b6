//! The manual's table of what callers meet says what real requests are told.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod configuration;
mod endpoints;
mod limits;
mod raw;
mod world;

use std::{future::Future, pin::Pin};

/// The page that readers see.
const PAGE: &str = include_str!("../../../mesh-core/src/manual/errors.md");

/// Makes something go wrong; gives the error's text.
type Case = (&'static str, fn() -> Pin<Box<dyn Future<Output = String>>>);

/// A list of cases: what happens, and the function that makes it happen.
macro_rules! cases {
    ($($what:literal => $make:path),* $(,)?) => {
        &[$(($what, || Box::pin($make()))),*]
    };
}
pub(crate) use cases;

#[tokio::test]
async fn the_manual_says_what_callers_are_told() {
    let mut missing = Vec::new();
    for (title, cases) in [
        ("configuration", configuration::CASES),
        ("endpoints and answers", endpoints::CASES),
        ("time, limits and policy", limits::CASES),
    ] {
        let mut table = format!("| {title} | reads |\n|---|---|\n");
        for (what, make) in cases {
            println!("{what}");
            let text = world::within(make()).await;
            println!("    {text}");
            assert!(
                !text.contains(char::is_control),
                "{what}: more than a line: {text:?}"
            );
            table += &format!("| {what} | `{text}` |\n");
        }
        if !PAGE.contains(&table) {
            missing.push(table);
        }
    }
    assert!(
        missing.is_empty(),
        "manual/errors.md must say\n{}",
        missing.join("\n")
    );
}
