//! What this process holds, as Linux and its runtime tell.

use std::{fs, time::Duration};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::{
    runtime::Handle,
    time::{MissedTickBehavior, interval},
};

/// Samples in a second.
const RATE: usize = 10;
/// The warm-up's share of all samples: one in this many.
const WARM_UP: usize = 4;
/// The share of the other samples that is compared at either end.
const ENDS: usize = 5;

/// What is held over time.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<Held>);

/// What is held at one time.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// Resident memory, in KiB.
    resident: u64,
    /// As much of that as no file backs: heap and stacks.
    anonymous: u64,
    descriptors: u64,
    tasks: u64,
}

/// After the warm-up and at the end.
#[derive(Clone, Copy, Debug)]
struct Ends {
    warm: u64,
    end: u64,
}

impl Samples {
    /// Looks ten times a second until dropped.
    pub(crate) async fn collect(&mut self) -> anyhow::Result<()> {
        let mut ticks = interval(Duration::from_secs(1) / RATE as u32);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.0.push(Held::now()?);
        }
    }

    /// What is held, in short, and what of it has grown.
    pub(crate) fn judge(&self) -> anyhow::Result<(Value, Vec<String>)> {
        let memory = self.ends(|held| held.anonymous)?;
        let descriptors = self.ends(|held| held.descriptors)?;
        let tasks = self.ends(|held| held.tasks)?;
        let mut failures = Vec::new();
        for (what, ends, slack) in [
            ("KiB of memory", memory, 4 * 1024),
            // Of HTTP/1.1 there may be a connection for each caller, as it happens.
            ("descriptors", descriptors, 64),
            ("tasks", tasks, 64),
        ] {
            if ends.end > ends.warm + ends.warm / 10 + slack {
                failures.push(format!("{what} grow from {} to {}", ends.warm, ends.end));
            }
        }
        let resident = |at: usize| self.0.get(at).map(|held| held.resident);
        let held = json!({
            "memory_warm_kib": memory.warm,
            "memory_end_kib": memory.end,
            "resident_minute_kib": resident(60 * RATE),
            "resident_end_kib": resident(self.0.len() - 1),
            "descriptors_warm": descriptors.warm,
            "descriptors_end": descriptors.end,
            "tasks_warm": tasks.warm,
            "tasks_end": tasks.end,
        });
        Ok((held, failures))
    }

    fn ends(&self, of: impl Fn(&Held) -> u64) -> anyhow::Result<Ends> {
        let warm = &self.0[self.0.len() / WARM_UP..];
        let fifth = warm.len() / ENDS;
        let median = |samples: &[Held]| {
            let mut samples: Vec<_> = samples.iter().map(&of).collect();
            samples.sort_unstable();
            let median = samples.get(samples.len() / 2).copied();
            median.context("too short to say what is held")
        };
        Ok(Ends {
            warm: median(&warm[..fifth])?,
            end: median(&warm[warm.len() - fifth..])?,
        })
    }
}

impl Held {
    fn now() -> anyhow::Result<Self> {
        let status = fs::read_to_string("/proc/self/status")?;
        let kib = |name: &str| -> anyhow::Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
            let number = number.with_context(|| format!("no {name} in /proc/self/status"))?;
            Ok(number.parse()?)
        };
        Ok(Self {
            resident: kib("VmRSS:")?,
            anonymous: kib("RssAnon:")?,
            descriptors: descriptors()? as u64,
            tasks: Handle::current().metrics().num_alive_tasks() as u64,
        })
    }
}

/// Open descriptors.
pub(crate) fn descriptors() -> anyhow::Result<usize> {
    // The one that lists them is among them, each time.
    Ok(fs::read_dir("/proc/self/fd")?.count())
}
