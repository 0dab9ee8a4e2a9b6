//! The tasks of one server, so that they can end with it.

use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;

use tokio::task::JoinSet;

/// A set of tasks that is closed as a whole. Clones name the same set.
///
/// hyper spawns the streams of an HTTP/2 connection through it too: with a plain executor they
/// would outlive a server that is stopped abruptly.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    running: JoinSet<()>,
}

impl Tasks {
    /// Runs `task` in the set; drops it unrun once the set is closed.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            return;
        }
        // What has ended is taken out here, so the set stays as large as what runs.
        while state.running.try_join_next().is_some() {}
        state.running.spawn(task);
    }

    /// Aborts all tasks, and returns at once. No task starts from here on.
    pub(crate) fn abort(&self) {
        drop(self.close());
    }

    /// Aborts all tasks and waits until they are gone with all that they held. The set stays open.
    pub(crate) async fn clear(&self) {
        loop {
            let mut running = mem::take(&mut self.lock().running);
            // A task may have spawned another one just before it was aborted.
            if running.is_empty() {
                return;
            }
            running.shutdown().await;
        }
    }

    /// Waits until all tasks have ended by themselves.
    pub(crate) async fn join(&self) {
        let next = |cx: &mut Context<'_>| self.lock().running.poll_join_next(cx);
        while poll_fn(next).await.is_some() {}
    }

    fn close(&self) -> JoinSet<()> {
        let mut state = self.lock();
        state.closed = true;
        mem::take(&mut state.running)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.spawn(task);
    }
}
