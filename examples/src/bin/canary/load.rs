//! Calls, many at a time, and the counting of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use mesh::MeshChannel;
use mesh_testkit::generated::mesh::test::v1::{EchoRequest, echo_client::EchoClient};
use tokio::sync::watch;

use crate::report::Phase;

/// Calls under way at once.
const CONCURRENCY: usize = 16;

/// A call that takes longer has failed.
const DEADLINE: Duration = Duration::from_secs(10);

/// What one caller counted.
#[derive(Debug, Default)]
struct Tally {
    v1: u32,
    v2: u32,
    failures: u32,
    first_failure: Option<String>,
    latencies: Vec<Duration>,
}

/// Makes `calls` calls. `half_done` is told when half of them are.
pub(crate) async fn run(
    name: &'static str,
    channel: MeshChannel,
    calls: u32,
    half_done: watch::Sender<bool>,
) -> Phase {
    let started = Arc::new(AtomicU32::new(0));
    let half_done = Arc::new(half_done);
    let callers: Vec<_> = (0..CONCURRENCY)
        .map(|_| {
            let client = EchoClient::new(channel.clone());
            tokio::spawn(call_until(
                client,
                Arc::clone(&started),
                calls,
                Arc::clone(&half_done),
            ))
        })
        .collect();
    let mut all = Tally::default();
    for caller in callers {
        match caller.await {
            Ok(tally) => all.add(tally),
            Err(error) => all.fail(format!("a caller ended early: {error}")),
        }
    }
    all.into_phase(name, calls)
}

async fn call_until(
    mut client: EchoClient<MeshChannel>,
    started: Arc<AtomicU32>,
    calls: u32,
    half_done: Arc<watch::Sender<bool>>,
) -> Tally {
    let mut tally = Tally::default();
    loop {
        let number = started.fetch_add(1, Ordering::Relaxed);
        if number >= calls {
            return tally;
        }
        if number == calls / 2 {
            half_done.send_replace(true);
        }
        let mut request = tonic::Request::new(EchoRequest::default());
        request.set_timeout(DEADLINE);
        let start = Instant::now();
        match client.unary(request).await {
            Ok(reply) => tally.succeed(&reply.get_ref().server_id, Instant::now() - start),
            Err(status) => tally.fail(format!("{:?}: {}", status.code(), status.message())),
        }
    }
}

impl Tally {
    fn succeed(&mut self, server: &str, latency: Duration) {
        *if server == "v1" {
            &mut self.v1
        } else {
            &mut self.v2
        } += 1;
        self.latencies.push(latency);
    }

    fn fail(&mut self, why: String) {
        self.failures += 1;
        self.first_failure.get_or_insert(why);
    }

    fn add(&mut self, other: Self) {
        self.v1 += other.v1;
        self.v2 += other.v2;
        self.failures += other.failures;
        self.latencies.extend(other.latencies);
        if let Some(why) = other.first_failure {
            self.first_failure.get_or_insert(why);
        }
    }

    fn into_phase(mut self, name: &'static str, calls: u32) -> Phase {
        self.latencies.sort_unstable();
        let quantile = |q: f64| {
            let last = self.latencies.len().saturating_sub(1);
            let at = (last as f64 * q) as usize;
            self.latencies
                .get(at)
                .map_or(0, |latency| latency.as_micros() as u64)
        };
        let answered = f64::from(self.v1 + self.v2).max(1.0);
        Phase {
            name,
            calls,
            failures: self.failures,
            v1_share: f64::from(self.v1) / answered,
            v2_share: f64::from(self.v2) / answered,
            p50_us: quantile(0.5),
            p99_us: quantile(0.99),
            first_failure: self.first_failure,
        }
    }
}
