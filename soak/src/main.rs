//! Calls through the mesh, as many as two cores can make, while everything behind them changes:
//! routes, weights and retry policies, endpoints, connections, servers, the control plane itself.
//!
//! ```text
//! cargo run --release --locked -p mesh-soak -- --minutes 10
//! ```
//!
//! Two processes. The *world* has the control plane and the servers, and changes them. The other
//! has the mesh and nothing else, so that its memory, descriptors and tasks are the mesh's. It ends
//! with one line of JSON, and with an error unless
//! - no call failed that its retry policy should have saved. Every call may be retried on any loss
//!   of a connection, four times, and every cluster always has two servers that are well. So the
//!   one excuse is a server that was cut off after the response had begun, from where on nobody
//!   may retry; such calls are counted apart, and the texts of the first are in the JSON;
//! - every call that was begun has ended, or was given up by its caller, as some are; and the
//!   servers have seen as many as succeeded;
//! - all counts of what is under way return to zero; no task, descriptor, connection or stream is
//!   left of the mesh after its last handle;
//! - memory, descriptors and tasks stay flat: the median of the last fifth of the samples is little
//!   above that of the first fifth after the warm-up, the first quarter of the run.
//!
//! An odd seed speaks the state of the world to the control plane, an even one increments.

mod calls;
mod memory;
mod run;
mod world;

use std::{process::ExitCode, time::Duration};

use clap::Parser;

/// Calls without a pause through a mesh behind which everything changes.
#[derive(Debug, Parser)]
struct Options {
    /// How long.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Seeds what changes, and when.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Calls at once, of each of the three kinds: gRPC, HTTP/1.1, HTTP/2.
    #[arg(long, default_value_t = 24)]
    callers: usize,
    /// Is the world; started by the program itself.
    #[arg(long, hide = true)]
    world: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    if options.world {
        runtime.block_on(world::run(options.seed))?;
        return Ok(ExitCode::SUCCESS);
    }
    let length = Duration::from_secs_f64(options.minutes * 60.0);
    let verdict = run::run(&runtime, length, options.seed, options.callers)?;
    println!("{}", verdict.json);
    for failure in &verdict.failures {
        eprintln!("soak: {failure}");
    }
    Ok(match verdict.failures.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
