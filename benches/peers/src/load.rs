//! Two ways to load a client: so many calls under way at once, each followed by the next; or calls at
//! a fixed rate, whatever becomes of those before.

use std::{
    fmt, fs,
    future::Future,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tokio::sync::mpsc;

use crate::stall::Window;

/// Calls before the measurement, so that connections, buffers and tables are there.
const WARM_UP: usize = 200;

/// How a client is loaded.
#[derive(Clone, Copy)]
pub struct Load {
    /// Calls under way at once.
    pub in_flight: usize,
    /// Threads that they run on.
    pub threads: usize,
    /// Whose run time counts.
    pub of: Of,
    /// Calls in a second instead, if it is fixed.
    rate: Option<u32>,
    /// How many calls are measured.
    count: usize,
}

/// Whose run time is measured.
#[derive(Clone, Copy)]
pub enum Of {
    /// That of what calls.
    Callers,
    /// Another process, which is called.
    Process(u32),
    Nobody,
}

/// What was measured, in nanoseconds.
pub struct Measured {
    /// CPU time of each call.
    cpu: f64,
    /// At a fixed rate: the median and the 99th percentile of the latency.
    latency: Option<(u64, u64)>,
    /// In percent of the time; see [`Window`].
    stalled: f64,
}

impl Load {
    pub fn parse(load: &str, count: &str) -> Result<Self> {
        let (load, rate) = match load.strip_suffix("/s") {
            Some(rate) => ("1", Some(rate.parse().context("LOAD")?)),
            None => (load, None),
        };
        let (in_flight, threads) = load.split_once('x').unwrap_or((load, "1"));
        let load = Self {
            in_flight: in_flight.parse().context("LOAD")?,
            threads: threads.parse().context("LOAD")?,
            of: Of::Callers,
            rate,
            count: count.parse().context("COUNT")?,
        };
        ensure!(
            load.count % load.in_flight == 0,
            "COUNT is not so often for each in flight"
        );
        Ok(load)
    }

    /// Whether calls come at a fixed rate.
    pub const fn is_paced(&self) -> bool {
        self.rate.is_some()
    }

    /// Measures calls, which all callers make alike.
    pub async fn measure<C, F>(&self, call: C) -> Result<Measured>
    where
        C: FnMut() -> F + Clone + Send + 'static,
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.measure_each(vec![call; self.in_flight]).await
    }

    /// Measures calls of as many callers as calls are in flight.
    pub async fn measure_each<C, F>(&self, mut callers: Vec<C>) -> Result<Measured>
    where
        C: FnMut() -> F + Clone + Send + 'static,
        F: Future<Output = Result<()>> + Send + 'static,
    {
        spread(&callers, WARM_UP.max(callers.len())).await?;
        let window = Window::open()?;
        let before = self.cpu().await?;
        let latency = match self.rate {
            Some(rate) => Some(paced(&mut callers[0], rate, self.count).await?),
            None => {
                spread(&callers, self.count).await?;
                None
            }
        };
        Ok(Measured {
            cpu: (self.cpu().await? - before) as f64 / self.count as f64,
            latency,
            // Threads that share cores, with one another or with the pacemaker, wait for each other.
            stalled: if self.is_alone() {
                window.stalled_or_waited()?
            } else {
                window.stalled()?
            },
        })
    }

    /// Whether the one thread of callers has a core of its own: nothing that it waits for is on it.
    const fn is_alone(&self) -> bool {
        self.threads == 1 && self.rate.is_none() && matches!(self.of, Of::Callers)
    }

    /// The run time in nanoseconds, as the scheduler counts it: of all threads of a process, or, if
    /// there is a pacemaker beside the callers, of the one that calls.
    async fn cpu(&self) -> Result<u64> {
        if self.threads == 1 && matches!(self.of, Of::Callers) {
            // The scheduler brings its count up to date.
            thread::yield_now();
            return run_time("/proc/thread-self/schedstat");
        }
        // Until all workers have gone to sleep and are counted.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let process = match self.of {
            Of::Callers => "self".to_owned(),
            Of::Process(id) => id.to_string(),
            Of::Nobody => return Ok(0),
        };
        let threads = fs::read_dir(format!("/proc/{process}/task"))?;
        let each = threads.map(|thread| {
            let path = thread?.path().join("schedstat");
            run_time(path.to_str().context("a path of /proc is no text")?)
        });
        each.sum()
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", self.cpu)?;
        if let Some((middle, late)) = self.latency {
            write!(f, " {middle} {late}")?;
        }
        write!(f, " {:.2}", self.stalled)
    }
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

/// Calls at a rate, and gives the median and the 99th percentile of the time from when each call was
/// due until it had ended. The pacemaker is a thread of its own: timers of the runtime are too coarse.
async fn paced<C, F>(call: &mut C, rate: u32, count: usize) -> Result<(u64, u64)>
where
    C: FnMut() -> F,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let (due, mut dues) = mpsc::unbounded_channel();
    thread::spawn(move || {
        let mut next = Instant::now();
        for _ in 0..count {
            next += Duration::from_secs(1) / rate;
            thread::sleep(next.saturating_duration_since(Instant::now()));
            if due.send(next).is_err() {
                return;
            }
        }
    });
    let mut calls = Vec::with_capacity(count);
    while let Some(due) = dues.recv().await {
        let call = call();
        calls.push(tokio::spawn(async move {
            call.await?;
            anyhow::Ok(due.elapsed())
        }));
    }
    let mut spent = Vec::with_capacity(count);
    for call in calls {
        spent.push(u64::try_from(call.await??.as_nanos())?);
    }
    spent.sort_unstable();
    let at = |share| spent.get(count * share / 100).copied().unwrap_or(0);
    Ok((at(50), at(99)))
}

fn run_time(path: &str) -> Result<u64> {
    let text = fs::read_to_string(path)?;
    let first = text.split(' ').next().context("schedstat is empty")?;
    Ok(first.parse()?)
}
