//! Publishing, and deciding meanwhile.

use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Instant,
};

use anyhow::{Result, bail, ensure};
use mesh_benches::{
    publish::{Published, Publisher},
    world::{Change, Requests},
};

use crate::stall::Window;

fn change(kind: &str) -> Result<Change> {
    Ok(match kind {
        "endpoint" => Change::Endpoint,
        "endpoints" => Change::Endpoints,
        "endpoint-of-many" => Change::EndpointOfMany,
        "routes" => Change::Routes,
        _ => bail!("no change of the name {kind}"),
    })
}

/// Publishes so often, alone; prints nanoseconds each.
pub fn publish(kind: &str, count: usize) -> Result<()> {
    let mut publisher = Publisher::new(change(kind)?)?;
    let window = Window::open()?;
    let start = Instant::now();
    for _ in 0..count {
        publisher.publish();
    }
    let spent = start.elapsed();
    let stalled = window.stalled_or_waited()?;
    println!("{:.0} {stalled:.2}", spent.as_nanos() as f64 / count as f64);
    Ok(())
}

/// Decides so often while a writer publishes on another thread: to this reader (`here`), to others
/// (`elsewhere`), or not at all (`none`).
pub fn read(kind: &str, writer: &str, count: usize) -> Result<()> {
    let change = change(kind)?;
    let mut publisher = Publisher::new(change)?;
    let published = publisher.published();
    match writer {
        "here" => {}
        "elsewhere" => publisher = Publisher::new(change)?,
        "none" => return report(&published, change, count, || 0),
        _ => bail!("no writer of the name {writer}"),
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut times = 0_u64;
            while !done.load(Relaxed) {
                publisher.publish();
                times += 1;
            }
            times
        });
        report(&published, change, count, || {
            done.store(true, Relaxed);
            writing.join().unwrap_or(0)
        })
    })
}

fn report(
    published: &Published,
    change: Change,
    count: usize,
    stop: impl FnOnce() -> u64,
) -> Result<()> {
    let clusters = change.clusters();
    let requests = Requests::new((0..clusters).map(|index| index * 7_919 % clusters));
    let mut spent = vec![0_u64; count];
    let window = Window::open()?;
    let mut served = 0;
    for (index, spent) in spent.iter_mut().enumerate() {
        let start = Instant::now();
        served += usize::from(published.decide(black_box(requests.get(index))));
        *spent = u64::try_from(start.elapsed().as_nanos())?;
    }
    let stalled = window.stalled();
    // Also when it cannot be told: the writer must end.
    let times = stop();
    ensure!(served == count, "{} of {count} failed", count - served);
    spent.sort_unstable();
    let at = |per_mille| spent[(count - 1) * per_mille / 1000];
    println!(
        "{} {} {} {times} {:.2}",
        at(500),
        at(999),
        at(1000),
        stalled?
    );
    Ok(())
}
