//! The side of the mesh: callers, samples, and the verdict.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, anyhow};
use mesh::{Bootstrap, Mesh, Registry, Variant};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    runtime::Runtime,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    calls::{Caller, Tally},
    memory::{Samples, descriptors},
    world::{CLUSTERS, TARGETS, Wire},
};

/// How long what must happen may take. Reached only by a run that fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of it.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) json: Value,
    /// What should not have been.
    pub(crate) failures: Vec<String>,
}

/// The other process; it ends when its input does.
struct World {
    seed: u64,
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl World {
    fn start(seed: u64) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--world", "--seed", &seed.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().context("the world's input")?;
        let output = child.stdout.take().context("the world's output")?;
        Ok(Self {
            seed,
            _child: child,
            input,
            output: BufReader::new(output).lines(),
        })
    }

    async fn hear(&mut self) -> anyhow::Result<String> {
        let line = timeout(PATIENCE, self.output.next_line()).await;
        line.context("the world says nothing")??
            .context("the world has ended")
    }

    async fn ask(&mut self, line: &str) -> anyhow::Result<String> {
        self.input.write_all(format!("{line}\n").as_bytes()).await?;
        self.hear().await
    }
}

/// Runs for `length`, with so many callers of each kind.
pub(crate) fn run(
    runtime: &Runtime,
    length: Duration,
    seed: u64,
    callers: usize,
) -> anyhow::Result<Verdict> {
    let mut world = runtime.block_on(async { World::start(seed) })?;
    let at = runtime.block_on(world.hear())?;
    let (tasks, open) = (runtime.metrics().num_alive_tasks(), descriptors()?);
    let registry = Registry::default();
    let tallies: Vec<_> = TARGETS.iter().map(|_| Arc::<Tally>::default()).collect();
    let mut samples = Samples::default();
    let calling = call(
        &mut world,
        &at,
        length,
        callers,
        &registry,
        &tallies,
        &mut samples,
    );
    let mut failures = runtime.block_on(calling)?;

    // Nothing is left of the mesh.
    runtime.block_on(async {
        let deadline = Instant::now() + PATIENCE;
        while runtime.metrics().num_alive_tasks() > tasks && Instant::now() < deadline {
            sleep(Duration::from_millis(10)).await;
        }
    });
    let left = runtime.metrics().num_alive_tasks() - tasks;
    if left > 0 {
        failures.push(format!("{left} tasks are left"));
    }
    let left = descriptors()?.saturating_sub(open);
    if left > 0 {
        failures.push(format!("{left} descriptors are left"));
    }
    let report = runtime.block_on(world.ask("report"))?;
    let report: Value = serde_json::from_str(&report)?;
    judge(length, seed, &tallies, &samples, report, failures)
}

/// Calls for `length`; gives what was wrong at the end of it.
async fn call(
    world: &mut World,
    at: &str,
    length: Duration,
    callers: usize,
    registry: &Registry,
    tallies: &[Arc<Tally>],
    samples: &mut Samples,
) -> anyhow::Result<Vec<String>> {
    let bootstrap = json!({
        "xds_servers": [{ "server_uri": at, "channel_creds": [{ "type": "insecure" }] }],
        "node": { "id": "soak" },
    });
    // One variant of the protocol after the other, from seed to seed.
    let variant = [Variant::Delta, Variant::Sotw][usize::from(world.seed % 2 == 1)];
    let mesh = Mesh::builder()
        .bootstrap(Bootstrap::from_json(&bootstrap.to_string())?)
        .variant(variant)
        .registry(registry.clone())
        .spawn()?;
    let stop = Arc::<AtomicBool>::default();
    let mut running = JoinSet::new();
    for ((target, wire), tally) in TARGETS.iter().zip(tallies) {
        let uri = format!("xds:///{target}");
        let caller = match wire {
            Wire::Grpc => Caller::Grpc(mesh.channel(&uri)?),
            Wire::Http1 | Wire::Http2 => Caller::Http(mesh.http_client(&uri)?),
        };
        for _ in 0..callers {
            let caller = caller.clone();
            running.spawn(caller.run(Arc::clone(tally), Arc::clone(&stop)));
        }
    }
    // Held, so that the clusters of one target can be looked at when its callers are gone.
    let clusters: Vec<_> = CLUSTERS.map(|name| registry.cluster(&name.into())).into();
    tokio::select! {
        ended = samples.collect() => ended?,
        () = sleep(length) => {}
    }
    world.ask("calm").await?;
    stop.store(true, Ordering::Relaxed);
    let ended = async { while running.join_next().await.is_some() {} };
    let ended = timeout(PATIENCE, ended).await;
    ended.map_err(|_| anyhow!("calls do not end"))?;

    let mut failures = Vec::new();
    for cluster in &clusters {
        let under_way = (cluster.in_flight(), cluster.pending(), cluster.retries());
        if under_way != (0, 0, 0) {
            failures.push(format!("{cluster:?} still counts {under_way:?}"));
        }
    }
    drop(mesh);
    let closed = async {
        while clusters.iter().any(|cluster| cluster.connections() > 0) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    if timeout(PATIENCE, closed).await.is_err() {
        failures.push(format!("connections are left: {clusters:?}"));
    }
    Ok(failures)
}

fn judge(
    length: Duration,
    seed: u64,
    tallies: &[Arc<Tally>],
    samples: &Samples,
    report: Value,
    mut failures: Vec<String>,
) -> anyhow::Result<Verdict> {
    let sum = |count: fn(&Tally) -> &AtomicU64| -> u64 {
        let counts = tallies.iter().map(|tally| count(tally));
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    };
    let [begun, good] = [sum(|it| &it.begun), sum(|it| &it.good)];
    let [excused, failed] = [sum(|it| &it.excused), sum(|it| &it.failed)];
    let given_up = sum(|it| &it.given_up);
    failures.extend(tallies.iter().flat_map(|tally| tally.failures()));
    let ended = good + given_up + excused + failed;
    if begun != ended {
        failures.push(format!("{begun} calls began, {ended} ended"));
    }
    for ((target, _), tally) in TARGETS.iter().zip(tallies) {
        if tally.good.load(Ordering::Relaxed) == 0 {
            failures.push(format!("no call to {target} succeeded"));
        }
    }
    let seen = report["requests"]
        .as_u64()
        .context("requests in the report")?;
    if seen < good {
        failures.push(format!("{good} calls succeeded, the servers saw {seen}"));
    }
    for what in ["open", "in_flight", "streams", "stuck"] {
        if report[what] != 0 {
            failures.push(format!("the servers still count {what}: {}", report[what]));
        }
    }
    let (held, grown) = samples.judge()?;
    failures.extend(grown);
    let slowest = tallies
        .iter()
        .map(|tally| tally.slowest.load(Ordering::Relaxed));
    let excuses: Vec<_> = tallies.iter().flat_map(|tally| tally.excuses()).collect();
    let json = json!({
        "ok": failures.is_empty(),
        "seconds": length.as_secs(),
        "seed": seed,
        "calls": begun,
        "calls_per_second": begun.checked_div(length.as_secs()),
        "failed": failed,
        "excused": excused,
        "excuses": excuses,
        "given_up": given_up,
        "slowest_ms": slowest.max().map(|micros| micros / 1_000),
        "held": held,
        "world": report,
    });
    Ok(Verdict { json, failures })
}
