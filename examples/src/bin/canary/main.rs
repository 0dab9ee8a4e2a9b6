//! What you learn: how a control plane moves traffic from one version to another, and what calls see
//! when a backend dies and when the control plane itself goes away: nothing.
//!
//! Starts a control plane and three backends on loopback (v1 twice, v2 once), calls them through the
//! mesh, and prints a table by phase. Exits 0 only if no call failed and the shares are right.

mod load;
mod report;
mod world;

use std::process::ExitCode;

use clap::Parser;

use crate::{report::Report, world::World};

/// A canary release on loopback, end to end.
#[derive(Debug, Parser)]
struct Args {
    /// Calls in each phase.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(100..))]
    calls: u32,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

// One thread: a killed backend then loses whole answers, as a killed process does, not halves of them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let Args { calls, json } = Args::parse();
    let mut world = World::start().await?;
    let mut report = Report::default();

    let phase = world.calls("90/10", calls).await;
    report.add(phase, 0.9..=0.9);
    // Somewhere between: the flip comes when half of the calls are done.
    let phase = world.calls_while("flip to 50/50", calls, World::flip).await;
    report.add(phase, 0.5..=0.9);
    let phase = world.calls("50/50", calls).await;
    report.add(phase, 0.5..=0.5);
    let phase = world
        .calls_while("kill a v1 backend", calls, World::kill_backend)
        .await;
    report.add(phase, 0.5..=0.5);
    let phase = world
        .calls_while("stop the control plane", calls, World::stop_control_plane)
        .await;
    report.add(phase, 0.5..=0.5);

    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{report}");
    }
    Ok(if report.ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
