//! The HTTP/1 connections of an endpoint: one request each, the one used last first.

use std::{
    collections::VecDeque,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use http::{Request, Response};
use mesh_core::{
    ErrorKind,
    config::{ClusterConfig, Limits},
    runtime::{ConnectionPermit, PendingPermit},
};
use tokio::sync::{oneshot, watch};

use super::{Dialer, SendError};
use crate::{
    body::{RequestBody, ResponseBody},
    clock,
    connect::{
        SendFailure,
        http1::{self, Http1Connection, Http1Home, Http1Settings},
    },
};

/// How often a request that a connection gave back, because it had been closed while idle, is
/// offered to another.
const OFFERS: u32 = 3;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Http1Pool {
    core: Arc<Core>,
}

#[derive(Debug)]
struct Core {
    dialer: Dialer,
    idle_timeout: Option<Duration>,
    max_requests: Option<u32>,
    // The one lock of the request path, and a short one: a push or a pop.
    state: Mutex<State>,
    // Dropped with the pool: ends a dial under way.
    alive: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Idle>,
    waiting: VecDeque<oneshot::Sender<Result<Held, Arc<str>>>>,
    // Connections that are there, and dials under way.
    open: usize,
    dials: usize,
}

/// A connection that waits for a request.
#[derive(Debug)]
struct Idle {
    held: Held,
    since: Instant,
}

/// A connection with its place in the pool.
#[derive(Debug)]
struct Held {
    connection: Http1Connection,
    place: Arc<Place>,
}

/// What a connection holds of its pool as long as it lives; gives it back when dropped.
#[derive(Debug)]
struct Place {
    core: Weak<Core>,
    requests: AtomicU32,
    _permit: ConnectionPermit,
}

/// Takes a connection back once its response has been read.
struct Home(Arc<Place>);

impl Http1Pool {
    pub(super) fn new(dialer: Dialer, config: &ClusterConfig) -> Self {
        let core = Core {
            dialer,
            idle_timeout: config.idle_timeout,
            max_requests: config.max_requests_per_connection,
            state: Mutex::default(),
            alive: watch::Sender::new(()),
        };
        Self {
            core: Arc::new(core),
        }
    }

    pub(super) fn start_connecting(&self) {
        let mut state = self.core.lock();
        if state.open + state.dials == 0 && self.core.dialer.may_dial().is_ok() {
            Core::dial(&self.core, &mut state, None);
        }
    }

    pub(super) async fn send(
        &self,
        mut request: Request<RequestBody>,
        limits: &Limits,
    ) -> Result<Response<ResponseBody>, SendError> {
        let mut offers = 0;
        loop {
            let held = match self.core.take(limits) {
                Ok(Taken::Now(held)) => held,
                Ok(Taken::Soon(waiting, place)) => {
                    let connected = waiting.await;
                    drop(place);
                    match connected {
                        Ok(Ok(held)) => held,
                        Ok(Err(reason)) => return Err(SendError::connect(&reason, request)),
                        Err(_) => {
                            return Err(SendError::connect(&"the pool is gone".into(), request));
                        }
                    }
                }
                Err(Refusal::Connect(reason)) => return Err(SendError::connect(&reason, request)),
                Err(Refusal::Overloaded) => return Err(SendError::overloaded(request)),
            };
            let error: SendError = match held.send(request, self.core.max_requests).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure.into(),
            };
            offers += 1;
            match error {
                SendError {
                    error,
                    request: Some(whole),
                } if offers < OFFERS && error.kind() == ErrorKind::Reset => {
                    request = *whole;
                }
                error => return Err(error),
            }
        }
    }
}

/// How a request gets its connection.
enum Taken {
    Now(Held),
    Soon(oneshot::Receiver<Result<Held, Arc<str>>>, PendingPermit),
}

/// Why a request gets none.
enum Refusal {
    Connect(Arc<str>),
    Overloaded,
}

impl Held {
    async fn send(
        self,
        request: Request<RequestBody>,
        max_requests: Option<u32>,
    ) -> Result<Response<ResponseBody>, SendFailure> {
        let Self { connection, place } = self;
        let carried = place.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let reusable = max_requests.is_none_or(|max| carried < max);
        let home = reusable.then(|| Arc::new(Home(place)) as Arc<dyn Http1Home>);
        connection.send(request, home).await
    }
}

impl Http1Home for Home {
    fn give_back(&self, connection: Http1Connection) {
        if let Some(core) = self.0.core.upgrade() {
            core.give(Held {
                connection,
                place: Arc::clone(&self.0),
            });
        }
    }
}

impl Core {
    /// The idle connection that was used last, or a place in the queue for the next one, which is
    /// dialled if that is allowed.
    fn take(self: &Arc<Self>, limits: &Limits) -> Result<Taken, Refusal> {
        let now = clock::now();
        // Dropped after the lock: a place gives itself back under it.
        let mut stale = Vec::new();
        let mut state = self.lock();
        while let Some(idle) = state.idle.pop() {
            if !idle.held.connection.is_closed() && !idle.is_expired(now, self.idle_timeout) {
                drop(state);
                return Ok(Taken::Now(idle.held));
            }
            stale.push(idle);
        }
        let usable = state.open.saturating_sub(stale.len()) + state.dials;
        if usable == 0 {
            self.dialer.may_dial().map_err(Refusal::Connect)?;
        }
        let place = self
            .dialer
            .cluster
            .try_pending(limits)
            .ok_or(Refusal::Overloaded)?;
        let (sender, receiver) = oneshot::channel();
        state.waiting.push_back(sender);
        if state.dials < state.waiting.len() {
            Self::dial(self, &mut state, Some(limits));
        }
        drop(state);
        Ok(Taken::Soon(receiver, place))
    }

    /// Starts a dial, unless the limit on connections is reached.
    fn dial(core: &Arc<Self>, state: &mut State, limits: Option<&Limits>) {
        let Some(permit) = core.dialer.permit(state.open + state.dials, limits) else {
            return;
        };
        state.dials += 1;
        if state.open == 0 {
            core.dialer.endpoint.set_connecting();
        }
        let mut alive = core.alive.subscribe();
        let (dialer, core) = (core.dialer.clone(), Arc::downgrade(core));
        let executor = dialer.executor.clone();
        executor.spawn(async move {
            let connecting = async {
                let io = dialer.dial().await?;
                http1::handshake(io, &Http1Settings::default()).await
            };
            let connected = tokio::select! {
                biased;
                connected = connecting => connected,
                _ = alive.changed() => return,
            };
            match connected {
                Ok((connection, driver)) => run(core, connection, driver, permit).await,
                Err(error) => {
                    drop(permit);
                    if let Some(core) = core.upgrade() {
                        core.dial_failed(&error.to_string().into());
                    }
                }
            }
        });
    }

    /// Tells the request that has waited longest; all of them when nothing else is coming.
    fn dial_failed(&self, reason: &Arc<str>) {
        let failed = {
            let mut state = self.lock();
            state.dials -= 1;
            if state.open + state.dials == 0 {
                self.dialer.failed(Arc::clone(reason));
                mem::take(&mut state.waiting)
            } else {
                state.waiting.pop_front().into_iter().collect()
            }
        };
        for waiting in failed {
            // Its request may be gone.
            let _ = waiting.send(Err(Arc::clone(reason)));
        }
    }

    /// Gives a connection to the request that has waited longest, or keeps it.
    fn give(&self, mut held: Held) {
        if held.connection.is_closed() {
            return;
        }
        loop {
            let waiting = {
                let mut state = self.lock();
                match state.waiting.pop_front() {
                    Some(waiting) => waiting,
                    None => {
                        let since = clock::now();
                        state.idle.push(Idle { held, since });
                        return;
                    }
                }
            };
            match waiting.send(Ok(held)) {
                Ok(()) => return,
                // Its request is gone: the next one.
                Err(Ok(unwanted)) => held = unwanted,
                Err(Err(_)) => return,
            }
        }
    }

    /// Lets go of idle connections that are closed or have been idle for too long.
    fn reap(&self) {
        let now = clock::now();
        let gone: Vec<Idle> = {
            let mut state = self.lock();
            let all = mem::take(&mut state.idle);
            let (kept, gone) = all.into_iter().partition(|idle: &Idle| {
                !idle.held.connection.is_closed() && !idle.is_expired(now, self.idle_timeout)
            });
            state.idle = kept;
            gone
        };
        // After the lock: a place gives itself back under it.
        drop(gone);
    }

    /// A connection is gone: its place may go to a request that waits.
    fn place_freed(self: &Arc<Self>) {
        let mut state = self.lock();
        state.open -= 1;
        if state.open == 0 && state.dials == 0 && state.waiting.is_empty() {
            self.dialer.endpoint.set_idle();
        }
        if state.dials < state.waiting.len() {
            Self::dial(self, &mut state, None);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held cannot have left the lists half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Idle {
    fn is_expired(&self, now: Instant, timeout: Option<Duration>) -> bool {
        timeout.is_some_and(|timeout| now.saturating_duration_since(self.since) >= timeout)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade() {
            core.place_freed();
        }
    }
}

/// Runs a connection to its end, looking after the pool's idle ones meanwhile.
async fn run<D: Future<Output = ()>>(
    core: Weak<Core>,
    connection: Http1Connection,
    driver: D,
    permit: ConnectionPermit,
) {
    let idle_timeout = {
        let Some(pool) = core.upgrade() else { return };
        {
            let mut state = pool.lock();
            state.dials -= 1;
            state.open += 1;
        }
        pool.dialer.endpoint.set_ready();
        let (core, requests) = (Weak::clone(&core), AtomicU32::new(0));
        let place = Arc::new(Place {
            core,
            requests,
            _permit: permit,
        });
        pool.give(Held { connection, place });
        pool.idle_timeout
    };
    tokio::pin!(driver);
    loop {
        let tick = idle_timeout.and_then(|timeout| clock::now().checked_add(timeout));
        tokio::select! {
            () = &mut driver => break,
            () = clock::sleep_until(tick) => {}
        }
        let Some(core) = core.upgrade() else {
            return driver.await;
        };
        core.reap();
    }
    if let Some(core) = core.upgrade() {
        core.reap();
    }
}
