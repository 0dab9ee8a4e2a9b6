//! What this process holds, as Linux tells.

use std::{fs, time::Duration};

use anyhow::Context;
use tokio::time::{MissedTickBehavior, interval};

/// The warm-up's share of all samples: one in this many.
const WARM_UP: usize = 4;
/// The share of the other samples that is compared at either end.
const ENDS: usize = 5;

/// Memory over time, in KiB.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<u64>);

/// Memory after the warm-up and at the end, in KiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    pub(crate) warm: u64,
    pub(crate) end: u64,
}

impl Samples {
    /// Looks ten times a second until dropped.
    pub(crate) async fn collect(&mut self) -> anyhow::Result<()> {
        let mut ticks = interval(Duration::from_millis(100));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.0.push(anonymous_memory()?);
        }
    }

    pub(crate) fn growth(&self) -> anyhow::Result<Growth> {
        let warm = &self.0[self.0.len() / WARM_UP..];
        let fifth = warm.len() / ENDS;
        let median = |samples: &[u64]| {
            let mut samples = samples.to_vec();
            samples.sort_unstable();
            samples.get(samples.len() / 2).copied()
        };
        let warm_up = median(&warm[..fifth]).context("too short to say anything of memory")?;
        let end = median(&warm[warm.len() - fifth..]).context("no sample")?;
        Ok(Growth { warm: warm_up, end })
    }
}

impl Growth {
    pub(crate) const fn is_flat(self) -> bool {
        self.end <= self.warm + self.warm / 10 + 4 * 1024
    }
}

/// Resident memory that no file backs, in KiB: heap and stacks.
fn anonymous_memory() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(number.context("no RssAnon in /proc/self/status")?.parse()?)
}

/// Open descriptors.
pub(crate) fn descriptors() -> anyhow::Result<usize> {
    // The one that lists them is among them, each time.
    Ok(fs::read_dir("/proc/self/fd")?.count())
}
