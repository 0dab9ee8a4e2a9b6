//! What the requests and the connections of an HTTP/2 pool share.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use mesh_core::{
    config::{ClusterConfig, Limits},
    runtime::PendingPermit,
};
use tokio::sync::{Notify, watch};

use super::live::{Attempt, Live, Reserved};
use crate::{
    clock,
    connect::{
        http2::{Http2Connection, Http2Settings},
        pool::{DialError, Dialer, Failed, REDIAL, brief::BriefLives},
    },
};

#[derive(Debug)]
pub(super) struct Core {
    pub(super) dialer: Arc<Dialer>,
    pub(super) settings: Http2Settings,
    pub(super) idle_timeout: Option<Duration>,
    max_requests: Option<u32>,
    // Read by every request; replaced under `state`'s lock.
    live: ArcSwap<Vec<Arc<Live>>>,
    state: Mutex<State>,
    // Told of every freed stream, of each connection that comes or goes, and of failed dials.
    changed: Arc<Notify>,
    // Dropped with the pool: ends a dial under way.
    alive: watch::Sender<()>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    dialling: bool,
    // How often an attempt failed and left no connection: whoever waited then is told so.
    outages: u64,
    failed: Option<Failed>,
    brief: BriefLives,
}

/// What a request that waits finds.
#[derive(Debug)]
pub(super) enum Look {
    Found(Reserved),
    /// Nothing yet; look again when something changes, or then.
    Wait(Option<Instant>),
}

/// How a connection left the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    /// The peer, or the network, ended it.
    Theirs,
    /// We did.
    Ours,
}

impl Core {
    pub(super) fn new(dialer: Dialer, settings: Http2Settings, config: &ClusterConfig) -> Self {
        Self {
            dialer: Arc::new(dialer),
            settings,
            idle_timeout: config.idle_timeout,
            // Zero would be a connection that never carries anything; Envoy reads it as no limit.
            max_requests: config.max_requests_per_connection.filter(|max| *max > 0),
            live: ArcSwap::default(),
            state: Mutex::default(),
            changed: Arc::default(),
            alive: watch::Sender::new(()),
        }
    }

    pub(super) const fn changed(&self) -> &Arc<Notify> {
        &self.changed
    }

    /// Leave to wait.
    pub(super) fn pending(&self, limits: &Limits) -> Option<PendingPermit> {
        self.dialer.cluster.try_pending(limits)
    }

    /// A stream on the first connection that has one.
    pub(super) fn reserve(&self) -> Option<Reserved> {
        let live = self.live.load();
        live.iter().find_map(|live| live.reserve(self.max_requests))
    }

    /// Makes a connection unless there is one or one is being made.
    pub(super) fn start_connecting(self: &Arc<Self>) {
        let mut state = self.lock();
        if self.live.load().is_empty() && self.dialer.may_dial(None).is_ok() {
            let attempt = self.attempt(&mut state, None);
            drop(state);
            self.start(attempt);
        }
    }

    /// A stream for a request that waits, if there is one; if not, whether it is worth waiting on,
    /// and until when at most, and a dial if one is due. `outages` is the request's own, and nothing
    /// at first.
    pub(super) fn look(
        self: &Arc<Self>,
        limits: &Limits,
        outages: &mut Option<u64>,
    ) -> Result<Look, DialError> {
        if let Some(reserved) = self.reserve() {
            return Ok(Look::Found(reserved));
        }
        let mut state = self.lock();
        // A connection may have come up between the look and the lock.
        if let Some(reserved) = self.reserve() {
            return Ok(Look::Found(reserved));
        }
        let failed = state.failed.as_ref().map(|failed| &failed.error);
        if *outages.get_or_insert(state.outages) != state.outages
            && let Some(error) = failed
        {
            return Err(error.clone());
        }
        if !state.dialling && self.live.load().is_empty() {
            self.dialer.may_dial(failed)?;
        }
        let attempt = self.attempt(&mut state, Some(limits));
        let again = (!state.dialling).then(|| clock::now() + REDIAL);
        drop(state);
        self.start(attempt);
        Ok(Look::Wait(again))
    }

    /// An attempt to connect, unless one is under way, one beside live connections failed only just
    /// now, or the limit on connections is reached.
    fn attempt(
        self: &Arc<Self>,
        state: &mut State,
        limits: Option<&Limits>,
    ) -> Option<(Attempt, watch::Receiver<()>)> {
        let open = self.live.load().len();
        let only_just = || state.failed.as_ref().is_some_and(Failed::only_just);
        if state.dialling || (open > 0 && only_just()) {
            return None;
        }
        let permit = self.dialer.permit(open, limits)?;
        state.dialling = true;
        self.dialer.report(open, 1);
        Some((Attempt::new(self, permit), self.alive.subscribe()))
    }

    /// Runs an attempt. Not under the lock: an executor that is gone drops it on the spot.
    fn start(&self, attempt: Option<(Attempt, watch::Receiver<()>)>) {
        let Some((attempt, mut alive)) = attempt else {
            return;
        };
        let (dialer, settings) = (Arc::clone(&self.dialer), self.settings.clone());
        let changed = Arc::clone(&self.changed);
        self.dialer.executor.spawn(async move {
            let connecting = super::live::connect(&dialer, &settings, changed);
            let connected = tokio::select! {
                biased;
                connected = connecting => connected,
                _ = alive.changed() => return,
            };
            drop(alive);
            attempt.run(connected).await;
        });
    }

    /// An attempt failed.
    pub(super) fn attempt_failed(&self, error: DialError) {
        let mut state = self.lock();
        state.dialling = false;
        if self.live.load().is_empty() {
            state.outages += 1;
            self.dialer.failed(&error);
        }
        state.failed = Some(Failed::now(error));
        drop(state);
        self.changed.notify_waiters();
    }

    /// An attempt has made this connection.
    pub(super) fn add(&self, connection: Http2Connection) -> Arc<Live> {
        let live = Arc::new(Live::new(connection));
        let mut state = self.lock();
        state.dialling = false;
        let mut all = Vec::clone(&self.live.load());
        all.push(Arc::clone(&live));
        let open = all.len();
        // Before the report: whoever acts on it finds the connection.
        self.live.store(Arc::new(all));
        self.dialer.report(open, 0);
        drop(state);
        self.changed.notify_waiters();
        live
    }

    /// A connection takes no more requests.
    pub(super) fn remove(&self, gone: &Live, leaving: Leaving) {
        let mut state = self.lock();
        let mut all = Vec::clone(&self.live.load());
        all.retain(|live| !std::ptr::eq(Arc::as_ptr(live), gone));
        let open = all.len();
        // Before the report: whoever acts on it must not find the connection.
        let before = self.live.swap(Arc::new(all));
        let of_use = leaving == Leaving::Ours || gone.has_carried();
        let failed = state.brief.ended(gone.made(), clock::now(), of_use);
        if failed && open == 0 && !state.dialling {
            let error = gone.brief_life();
            state.outages += 1;
            self.dialer.failed(&error);
            state.failed = Some(Failed::now(error));
        } else {
            self.dialer.report(open, usize::from(state.dialling));
        }
        drop(state);
        drop(before);
        self.changed.notify_waiters();
    }

    /// Nothing is left half-changed by a panic: every change is an assignment.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.dialer.report(0, 0);
    }
}
