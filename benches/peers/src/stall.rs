//! The machine standing still: a host that takes cores away, or somebody else at work on them.
//!
//! One process per core, with real-time priority, wakes every millisecond and adds up by how much it
//! was late. Whoever measures asks those processes before and after, so that a measurement during
//! which the core was taken away can be told from others, and thrown away.

use std::{
    env,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

/// How often a core is looked at.
const TICK: Duration = Duration::from_millis(1);

/// What a timer may be late without anybody to blame.
const TOLERANCE: Duration = Duration::from_micros(500);

/// Where the ports of those processes are found, separated by commas.
const PORTS: &str = "BENCH_STALLS";

/// Watches the core that this process was given, for as long as it lives.
pub fn watch() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    let lost = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&lost);
    thread::spawn(move || tick(&counted));
    for stream in listener.incoming() {
        stream?.write_all(&lost.load(Relaxed).to_le_bytes())?;
    }
    Ok(())
}

fn tick(lost: &AtomicU64) {
    let mut due = Instant::now();
    loop {
        due += TICK;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let late = Instant::now().saturating_duration_since(due);
        if late > TOLERANCE {
            lost.fetch_add(nanoseconds(late), Relaxed);
            // What was slept through is counted; do not catch up.
            due += late;
        }
    }
}

/// A measurement that has begun.
pub struct Window {
    began: Instant,
    lost: Vec<u64>,
    waited: u64,
}

impl Window {
    pub fn open() -> Result<Self> {
        Ok(Self {
            lost: ask()?,
            waited: waited()?,
            began: Instant::now(),
        })
    }

    /// The share of the time since then, in percent, in which a core stood still.
    pub fn stalled(&self) -> Result<f64> {
        let elapsed = nanoseconds(self.began.elapsed());
        let lost = ask()?.into_iter().zip(&self.lost);
        let lost = lost.map(|(now, then)| now - then).max().unwrap_or(0);
        Ok(percent(lost, elapsed))
    }

    /// The same, counting also how long this thread waited for a core on which something else ran.
    /// For a thread that has a core of its own.
    pub fn stalled_or_waited(&self) -> Result<f64> {
        let elapsed = nanoseconds(self.began.elapsed());
        let waited = percent(waited()? - self.waited, elapsed);
        Ok(self.stalled()?.max(waited))
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole as f64
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// What each core has lost so far, in nanoseconds; nothing if nobody watches.
fn ask() -> Result<Vec<u64>> {
    let ports = env::var(PORTS).unwrap_or_default();
    let ports = ports.split(',').filter(|port| !port.is_empty());
    let ask = |port: &str| {
        let mut lost = [0; 8];
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port.parse()?))?;
        stream.read_exact(&mut lost)?;
        Ok(u64::from_le_bytes(lost))
    };
    ports.map(ask).collect()
}

/// How long this thread could have run and did not, in nanoseconds, as the scheduler counts it.
fn waited() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let second = text.split(' ').nth(1).context("schedstat is short")?;
    Ok(second.parse()?)
}
