//! What the requests and the connections of an HTTP/1 pool share.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use mesh_core::config::{ClusterConfig, Limits};
use tokio::sync::{oneshot, watch};

use super::{
    keeper::Keeper,
    live::{Attempt, Held, Life},
    queue::{Answer, Queue, Waiting},
};
use crate::{
    clock,
    connect::pool::{DialError, Dialer, Failed, brief::BriefLives},
};

#[derive(Debug)]
pub(super) struct Core {
    dialer: Arc<Dialer>,
    idle_timeout: Option<Duration>,
    pub(super) max_requests: Option<u32>,
    // The one lock of the request path, and a short one: a push or a pop. Connections and attempts
    // are dropped outside it, since they report to it.
    state: Mutex<State>,
    // Dropped with the pool: ends dials under way.
    alive: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Idle>,
    queue: Queue,
    // Connections that are not closed yet, and dials under way.
    open: usize,
    dials: usize,
    // Those of the last request; a freed place is filled by them.
    limits: Option<Limits>,
    failed: Option<Failed>,
    brief: BriefLives,
    // Of the keeper's task, if there is a keeper.
    keeper: Option<Waker>,
}

/// A connection that waits for a request.
#[derive(Debug)]
struct Idle {
    held: Held,
    since: Instant,
}

/// How a request gets its connection.
#[derive(Debug)]
pub(super) enum Taken {
    Now(Held),
    Soon(Waiting),
}

/// Why a request gets none.
#[derive(Debug)]
pub(super) enum Refusal {
    Connect(DialError),
    Overloaded,
}

type Dial = Option<(Attempt, watch::Receiver<()>)>;

impl Core {
    pub(super) fn new(dialer: Dialer, config: &ClusterConfig) -> Self {
        Self {
            dialer: Arc::new(dialer),
            idle_timeout: config.idle_timeout,
            // Envoy reads zero as no limit.
            max_requests: config.max_requests_per_connection.filter(|max| *max > 0),
            state: Mutex::default(),
            alive: watch::Sender::new(()),
        }
    }

    /// Makes a connection unless there is one or one is being made.
    pub(super) fn start_connecting(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.open + state.dials == 0 && self.dialer.may_dial(None).is_ok() {
            let dial = self.attempt(&mut state);
            drop(state);
            self.start(dial);
        }
    }

    /// The idle connection that was used last, or a place in line for the next one, which is dialled
    /// if that is allowed. `fresh`: not one that is idle now.
    pub(super) fn take(self: &Arc<Self>, limits: &Limits, fresh: bool) -> Result<Taken, Refusal> {
        let mut stale = Vec::new();
        let mut state = self.lock();
        state.limits = Some(*limits);
        if fresh {
            stale = mem::take(&mut state.idle);
        }
        let now = clock::now();
        while let Some(mut idle) = state.idle.pop() {
            if !idle.held.is_closed() && !idle.is_expired(now, self.idle_timeout) {
                drop(state);
                return Ok(Taken::Now(idle.held));
            }
            stale.push(idle);
        }
        // The stale ones are closing. Dials under way may fail like the last one did: those who
        // come inside its back-off do not wait for them.
        if state.open <= stale.len() {
            let may_dial = self.dialer.may_dial(state.last_error());
            may_dial.map_err(Refusal::Connect)?;
        }
        let place = self.dialer.cluster.try_pending(limits);
        let place = place.ok_or(Refusal::Overloaded)?;
        let ticket = state.queue.join();
        let dial = self.fill(&mut state);
        drop(state);
        self.start(dial);
        Ok(Taken::Soon(Waiting::new(self, ticket, place)))
    }

    /// Dials for those in line, if there is room by now.
    pub(super) fn refill(self: &Arc<Self>) {
        let mut state = self.lock();
        // Without a connection only the dials under way count: the endpoint may have failed.
        let dial = match state.open {
            0 => None,
            _ => self.fill(&mut state),
        };
        drop(state);
        self.start(dial);
    }

    /// A dial, if there are more in line than dials.
    fn fill(self: &Arc<Self>, state: &mut State) -> Dial {
        if state.dials < state.queue.len() {
            self.attempt(state)
        } else {
            None
        }
    }

    /// An attempt to connect, unless one beside live connections failed only just now, or the limit
    /// on connections is reached.
    fn attempt(self: &Arc<Self>, state: &mut State) -> Dial {
        if state.open > 0 && state.failed.as_ref().is_some_and(Failed::only_just) {
            return None;
        }
        let there = state.open + state.dials;
        let permit = self.dialer.permit(there, state.limits.as_ref())?;
        state.dials += 1;
        self.dialer.report(state.open, state.dials);
        Some((Attempt::new(self, permit), self.alive.subscribe()))
    }

    /// Runs an attempt. Not under the lock: an executor that is gone drops it on the spot.
    fn start(&self, dial: Dial) {
        let Some((attempt, mut alive)) = dial else {
            return;
        };
        let dialer = Arc::clone(&self.dialer);
        self.dialer.executor.spawn(async move {
            let connected = tokio::select! {
                biased;
                connected = super::live::connect(&dialer) => connected,
                _ = alive.changed() => return,
            };
            attempt.run(connected, alive).await;
        });
    }

    /// Tells the request that has waited longest; all of them when nothing else is coming.
    pub(super) fn attempt_failed(&self, error: &DialError) {
        let mut state = self.lock();
        state.dials -= 1;
        state.failed = Some(Failed::now(error.clone()));
        if state.open == 0 {
            // At once, though other dials may be under way: as long as requests keep coming there
            // would always be one.
            self.dialer.failed(error);
        }
        let told = if state.open + state.dials == 0 {
            state.queue.all()
        } else {
            state.queue.next().into_iter().collect()
        };
        drop(state);
        tell(told, error);
    }

    /// An attempt has made this connection. Gives the keeper of the idle ones, if there is none yet.
    pub(super) fn add(self: &Arc<Self>, held: Held) -> Option<Keeper> {
        let keeper = {
            let mut state = self.lock();
            state.dials -= 1;
            state.open += 1;
            self.dialer.report(state.open, state.dials);
            match state.keeper {
                Some(_) => None,
                None => {
                    state.keeper = Some(Waker::noop().clone());
                    Some(Keeper::new(Arc::downgrade(self)))
                }
            }
        };
        self.give(held);
        keeper
    }

    /// Gives a connection to the request that has waited longest, or keeps it. One that is closed ends
    /// here, outside the lock.
    pub(super) fn give(&self, mut held: Held) {
        loop {
            let mut state = self.lock();
            let of_use = if state.queue.len() > 0 {
                !held.is_closed()
            } else {
                state.watches(&mut held)
            };
            if !of_use {
                drop(state);
                return;
            }
            let Some(waiting) = state.queue.next() else {
                let since = clock::now();
                state.idle.push(Idle { held, since });
                return;
            };
            drop(state);
            match waiting.send(Ok(held)) {
                // Its request is gone: the next one.
                Err(Ok(unwanted)) => held = unwanted,
                Ok(()) | Err(Err(_)) => return,
            }
        }
    }

    /// A request in line was given up.
    pub(super) fn leave(&self, ticket: u64) {
        self.lock().queue.leave(ticket);
    }

    /// Lets go of the connections that have been idle for too long. Gives when to look again.
    pub(super) fn reap(&self) -> Option<Instant> {
        let timeout = self.idle_timeout?;
        let now = clock::now();
        let mut state = self.lock();
        let gone = state.let_go(|idle| idle.is_expired(now, Some(timeout)));
        let first = state.idle.iter().map(|idle| idle.since).min();
        drop(state);
        drop(gone);
        first.unwrap_or(now).checked_add(timeout)
    }

    /// Lets go of the idle connections that are closed. Ready when there are no connections; otherwise
    /// the task of `cx`, the keeper's, learns of the next that closes.
    pub(super) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        state.keeper = Some(cx.waker().clone());
        let gone = state.let_go(|idle| idle.held.poll_closed(cx).is_ready());
        drop(state);
        drop(gone);
        let mut state = self.lock();
        if state.open > 0 {
            return Poll::Pending;
        }
        state.keeper = None;
        Poll::Ready(())
    }

    /// The keeper is gone.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.keeper = None;
        let gone = mem::take(&mut state.idle);
        drop(state);
        drop(gone);
    }

    /// A connection is closed: its place may go to a request in line.
    pub(super) fn ended(self: &Arc<Self>, life: &Life) {
        let mut state = self.lock();
        state.open -= 1;
        if state.open == 0
            && let Some(keeper) = &state.keeper
        {
            keeper.wake_by_ref();
        }
        let brief = state
            .brief
            .ended(life.made(), clock::now(), life.was_of_use());
        let hopeless = if state.open + state.dials > 0 {
            self.dialer.report(state.open, state.dials);
            None
        } else if brief {
            let error = DialError::new("the connection ended as soon as it was made");
            self.dialer.failed(&error);
            state.failed = Some(Failed::now(error.clone()));
            Some(error)
        } else {
            self.dialer.report(0, 0);
            self.dialer.may_dial(state.last_error()).err()
        };
        match hopeless {
            None => {
                let dial = self.fill(&mut state);
                drop(state);
                self.start(dial);
            }
            Some(error) => {
                let told = state.queue.all();
                drop(state);
                tell(told, &error);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn queued(&self) -> usize {
        self.lock().queue.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held cannot have left the lists half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.dialer.report(0, 0);
    }
}

impl State {
    fn last_error(&self) -> Option<&DialError> {
        self.failed.as_ref().map(|failed| &failed.error)
    }

    /// Has the keeper look after a connection, if there is one and the other is not closed.
    fn watches(&self, held: &mut Held) -> bool {
        self.keeper.as_ref().is_some_and(|keeper| {
            let mut cx = Context::from_waker(keeper);
            held.poll_closed(&mut cx).is_pending()
        })
    }

    /// Takes out the idle connections that are to go.
    fn let_go(&mut self, goes: impl FnMut(&mut Idle) -> bool) -> Vec<Idle> {
        self.idle.extract_if(.., goes).collect()
    }
}

impl Idle {
    fn is_expired(&self, now: Instant, timeout: Option<Duration>) -> bool {
        timeout.is_some_and(|timeout| now.saturating_duration_since(self.since) >= timeout)
    }
}

fn tell(waiting: Vec<oneshot::Sender<Answer>>, error: &DialError) {
    for waiting in waiting {
        // Its request may be gone.
        let _ = waiting.send(Err(error.clone()));
    }
}
