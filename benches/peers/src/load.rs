//! A closed loop: so many calls under way at once, each followed by the next.

use std::future::Future;

use anyhow::{Context, Result};

/// Calls before the measurement, so that connections, buffers and tables are there.
const WARM_UP: usize = 200;

/// Calls `count` times from as many tasks as there are `callers`, and gives the process's CPU time
/// per call, in nanoseconds.
pub async fn measure<C, F>(callers: Vec<C>, count: usize) -> Result<f64>
where
    C: FnMut() -> F + Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send + 'static,
{
    spread(&callers, WARM_UP.max(callers.len())).await?;
    let before = cpu()?;
    spread(&callers, count).await?;
    Ok((cpu()? - before) as f64 / count as f64)
}

async fn spread<C, F>(callers: &[C], count: usize) -> Result<()>
where
    C: FnMut() -> F + Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let each = count.div_ceil(callers.len());
    let tasks = callers.iter().cloned().map(|mut call| {
        tokio::spawn(async move {
            for _ in 0..each {
                call().await?;
            }
            anyhow::Ok(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    Ok(())
}

/// The run time of the process's only busy thread, in nanoseconds, as the scheduler counts it.
fn cpu() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split(' ').next().context("schedstat is empty")?;
    Ok(first.parse()?)
}
