//! The decision path and its hand-fused counterpart.

use std::{hint::black_box, time::Instant};

use anyhow::{Result, bail, ensure};
use mesh_benches::{
    decision::Decision,
    fused::Fused,
    world::{Lb, Requests},
};

use crate::stall::Window;

/// How many different requests are decided in turn.
const REQUESTS: usize = 512;

pub fn run(name: &str, routes: usize, endpoints: usize, lb: &str, count: usize) -> Result<()> {
    let lb = match lb {
        "round-robin" => Lb::RoundRobin,
        "least-request" => Lb::LeastRequest,
        _ => bail!("no load balancing of the name {lb}"),
    };
    // Spread over all routes, by a step that has no divisor in common with their number.
    let requests = Requests::new((0..REQUESTS).map(|index| index * 7_919 % routes));
    let decide: Box<dyn Fn(usize) -> bool> = match name {
        "mesh" => {
            let mesh = Decision::new(routes, endpoints, lb)?;
            Box::new(move |index| mesh.decide(black_box(requests.get(index))))
        }
        "fused" => {
            let fused = Fused::new(routes, endpoints, lb);
            Box::new(move |index| fused.decide(black_box(requests.get(index))))
        }
        // What the loop itself costs.
        "nothing" => Box::new(move |index| !black_box(requests.get(index)).headers.is_empty()),
        _ => bail!("nothing of the name {name} decides"),
    };
    let window = Window::open()?;
    let start = Instant::now();
    let served = (0..count).filter(|index| decide(*index)).count();
    let spent = start.elapsed();
    let stalled = window.stalled_or_waited()?;
    ensure!(
        served == count,
        "{} of {count} found no endpoint",
        count - served
    );
    println!("{:.1} {stalled:.2}", spent.as_nanos() as f64 / count as f64);
    Ok(())
}
