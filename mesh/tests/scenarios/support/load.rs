//! Calls that run all the time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, task::JoinSet};

use super::{Call, Client, Failure, Reply, within};

/// Calls under way at once.
const CONCURRENCY: usize = 6;

/// A call that takes longer has failed.
const DEADLINE: Duration = Duration::from_secs(20);

/// What became of calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Answers by server.
    pub(crate) servers: BTreeMap<String, u64>,
    pub(crate) failures: Vec<String>,
}

impl Tally {
    /// Asserts that these servers alone answered, all of them.
    #[track_caller]
    pub(crate) fn assert_only(&self, servers: &[&str]) {
        let answered: Vec<&str> = self.servers.keys().map(String::as_str).collect();
        assert_eq!(answered, servers, "{self:?}");
    }

    fn add(&mut self, answer: Result<Reply, Failure>) {
        match answer {
            Ok(reply) if reply.status == 200 => {
                *self.servers.entry(reply.server).or_default() += 1;
            }
            other => self.failures.push(format!("{other:?}")),
        }
    }

    fn is_only(&self, servers: &[&str]) -> bool {
        self.servers
            .keys()
            .map(String::as_str)
            .eq(servers.iter().copied())
    }
}

/// Calls that run until told to stop.
#[derive(Debug)]
pub(crate) struct Load {
    window: Arc<Mutex<Tally>>,
    /// By caller.
    ended: watch::Receiver<Vec<u64>>,
    stop: watch::Sender<bool>,
    callers: JoinSet<()>,
}

impl Load {
    /// Starts calling, and waits until the first calls have ended.
    pub(crate) async fn start(client: &Client, call: Call) -> Self {
        let call = call.timeout(DEADLINE);
        let window = Arc::<Mutex<Tally>>::default();
        let (ended, seen) = watch::channel(vec![0; CONCURRENCY]);
        let stop = watch::Sender::new(false);
        let mut callers = JoinSet::new();
        for number in 0..CONCURRENCY {
            let (client, call) = (client.clone(), call.clone());
            let (window, ended, stop) = (Arc::clone(&window), ended.clone(), stop.subscribe());
            callers.spawn(async move {
                while !*stop.borrow() {
                    let answer = client.call(&call).await;
                    lock(&window).add(answer);
                    ended.send_modify(|counts| counts[number] += 1);
                    tokio::task::yield_now().await;
                }
            });
        }
        let mut load = Self {
            window,
            ended: seen,
            stop,
            callers,
        };
        load.settle().await;
        load
    }

    /// Waits until that many more calls have ended.
    pub(crate) async fn progress(&mut self, calls: u64) {
        let goal = self.ended.borrow().iter().sum::<u64>() + calls;
        self.wait_for(|ended| ended.iter().sum::<u64>() >= goal)
            .await;
    }

    /// Waits until all calls under way were begun after this moment and that many of those have
    /// ended; gives what became of them.
    pub(crate) async fn window(&mut self, calls: u64) -> Tally {
        self.settle().await;
        let failures = std::mem::take(&mut *lock(&self.window)).failures;
        self.progress(calls).await;
        let window = lock(&self.window).clone();
        lock(&self.window).failures.splice(0..0, failures);
        window
    }

    /// Waits until these servers alone answer.
    pub(crate) async fn until_only(&mut self, servers: &[&str]) {
        let what = format!("answers of {servers:?} alone");
        let calls = 8 * servers.len() as u64;
        within(&what, async {
            while !self.window(calls).await.is_only(servers) {}
        })
        .await;
    }

    /// Stops, and asserts that no call failed since the start.
    pub(crate) async fn finish(mut self) {
        self.stop.send_replace(true);
        within("the last calls", async {
            while let Some(caller) = self.callers.join_next().await {
                caller.expect("a caller that ends well");
            }
        })
        .await;
        let failures = &lock(&self.window).failures;
        let first = failures.iter().take(3).collect::<Vec<_>>();
        assert!(
            failures.is_empty(),
            "{} calls failed: {first:#?}",
            failures.len()
        );
    }

    /// Lets every call end that is under way now.
    async fn settle(&mut self) {
        let before = self.ended.borrow().clone();
        self.wait_for(|ended| ended.iter().zip(&before).all(|(now, then)| now > then))
            .await;
    }

    async fn wait_for(&mut self, reached: impl FnMut(&Vec<u64>) -> bool) {
        let ended = within("calls to end", self.ended.wait_for(reached)).await;
        ended.expect("callers that run");
    }
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
