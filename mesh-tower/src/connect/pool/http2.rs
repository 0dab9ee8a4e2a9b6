//! The HTTP/2 connections of an endpoint: one, until its streams are used up; then another.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use http::{Request, Response};
use mesh_core::{
    ErrorKind,
    config::{ClusterConfig, Http2Config, Limits},
    runtime::ConnectionPermit,
};
use tokio::sync::{Notify, watch};

use super::{Dialer, SendError};
use crate::{
    body::{RequestBody, ResponseBody},
    clock,
    connect::http2::{self, Http2Connection, Http2Settings, StreamPermit},
};

/// How often a request that a connection gave back is offered to another, before the retry layer
/// decides.
const OFFERS: u32 = 3;

/// How long a failed dial beside live connections is not repeated; without any, the endpoint's own
/// back-off counts.
const REDIAL: Duration = Duration::from_secs(1);

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Http2Pool {
    core: Arc<Core>,
}

#[derive(Debug)]
struct Core {
    dialer: Dialer,
    settings: Http2Settings,
    idle_timeout: Option<Duration>,
    max_requests: Option<u32>,
    // Read by every request; replaced under `dialling`'s lock.
    live: ArcSwap<Vec<Arc<Live>>>,
    dialling: Mutex<Dialling>,
    // Told of every freed stream slot, new connection and failed dial.
    changed: Arc<Notify>,
    // Dropped with the pool: ends a dial under way.
    alive: watch::Sender<()>,
}

/// A connection that takes requests.
#[derive(Debug)]
struct Live {
    connection: Http2Connection,
    requests: AtomicU32,
    used: AtomicBool,
    _permit: ConnectionPermit,
}

#[derive(Debug, Default)]
struct Dialling {
    // Dials so far; the last one is under way if `busy`.
    dials: u64,
    busy: bool,
    failed: Option<Failed>,
}

/// The last dial that failed.
#[derive(Debug)]
struct Failed {
    dial: u64,
    reason: Arc<str>,
    at: Instant,
}

impl Http2Pool {
    pub(super) fn new(dialer: Dialer, config: &ClusterConfig, http2: &Http2Config) -> Self {
        let settings = Http2Settings {
            initial_stream_window: http2.initial_stream_window,
            initial_connection_window: http2.initial_connection_window,
            max_streams: http2.max_concurrent_streams as usize,
            keepalive_interval: http2.keepalive_interval,
            keepalive_timeout: http2.keepalive_timeout,
            ..Http2Settings::default()
        };
        let core = Core {
            dialer,
            settings,
            idle_timeout: config.idle_timeout,
            max_requests: config.max_requests_per_connection,
            live: ArcSwap::default(),
            dialling: Mutex::default(),
            changed: Arc::default(),
            alive: watch::Sender::new(()),
        };
        Self {
            core: Arc::new(core),
        }
    }

    pub(super) fn start_connecting(&self) {
        let mut dialling = self.core.lock();
        if self.core.live.load().is_empty() && self.core.dialer.may_dial().is_ok() {
            Core::dial(&self.core, &mut dialling, None);
        }
    }

    pub(super) async fn send(
        &self,
        mut request: Request<RequestBody>,
        limits: &Limits,
    ) -> Result<Response<ResponseBody>, SendError> {
        let mut offers = 0;
        loop {
            let permit = match self.core.reserve() {
                Some(permit) => permit,
                None => match self.wait(limits).await {
                    Ok(permit) => permit,
                    Err(Refusal::Connect(reason)) => {
                        return Err(SendError::connect(&reason, request));
                    }
                    Err(Refusal::Overloaded) => return Err(SendError::overloaded(request)),
                },
            };
            // The request is queued on its connection when `send` returns.
            let sending = permit.send(request);
            if let Some(max) = self.core.max_requests {
                self.core
                    .live
                    .load()
                    .iter()
                    .for_each(|live| live.retire(max));
            }
            let error: SendError = match sending.await {
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

    /// Waits for a stream, dialling if that is allowed.
    async fn wait(&self, limits: &Limits) -> Result<StreamPermit, Refusal> {
        let place = self.core.dialer.cluster.try_pending(limits);
        let _place = place.ok_or(Refusal::Overloaded)?;
        let mut waited_for = None;
        loop {
            let changed = self.core.changed.notified();
            tokio::pin!(changed);
            // Registered before the look, so that nothing that frees in between is missed.
            changed.as_mut().enable();
            if let Some(permit) = self.core.reserve() {
                return Ok(permit);
            }
            {
                let mut dialling = self.core.lock();
                // A connection may have come up between the look and the lock.
                if let Some(permit) = self.core.reserve() {
                    return Ok(permit);
                }
                if let Some(reason) = self.core.hopeless(&dialling, waited_for) {
                    return Err(Refusal::Connect(reason));
                }
                Core::dial(&self.core, &mut dialling, Some(limits));
                if dialling.busy {
                    waited_for.get_or_insert(dialling.dials);
                }
            }
            changed.await;
        }
    }
}

/// Why a request got no stream.
enum Refusal {
    Connect(Arc<str>),
    Overloaded,
}

impl Core {
    /// A stream on the first connection that has one.
    fn reserve(&self) -> Option<StreamPermit> {
        let live = self.live.load();
        live.iter().find_map(|live| live.reserve(self.max_requests))
    }

    /// Why a request that waits for the dial `waited_for`, or has yet to wait for one, will get no
    /// connection.
    fn hopeless(&self, dialling: &Dialling, waited_for: Option<u64>) -> Option<Arc<str>> {
        if !self.live.load().is_empty() || dialling.busy {
            return None;
        }
        match &dialling.failed {
            Some(failed) if waited_for.is_some_and(|ours| failed.dial >= ours) => {
                Some(Arc::clone(&failed.reason))
            }
            _ => self.dialer.may_dial().err(),
        }
    }

    /// Starts a dial, unless one is under way, one beside live connections failed only just now, or
    /// the limit on connections is reached.
    fn dial(core: &Arc<Self>, dialling: &mut Dialling, limits: Option<&Limits>) {
        let open = core.live.load().len();
        let just_failed = |failed: &Failed| clock::now() < failed.at + REDIAL;
        if dialling.busy || (open > 0 && dialling.failed.as_ref().is_some_and(just_failed)) {
            return;
        }
        let Some(permit) = core.dialer.permit(open, limits) else {
            return;
        };
        dialling.busy = true;
        dialling.dials += 1;
        if open == 0 {
            core.dialer.endpoint.set_connecting();
        }
        let mut alive = core.alive.subscribe();
        let (dialer, settings) = (core.dialer.clone(), core.settings.clone());
        let (changed, core) = (Arc::clone(&core.changed), Arc::downgrade(core));
        let executor = dialer.executor.clone();
        executor.spawn(async move {
            let connecting = async {
                let io = dialer.dial().await?;
                http2::handshake(io, &settings, dialer.executor.clone(), changed).await
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
                        core.dial_failed(error.to_string().into());
                    }
                }
            }
        });
    }

    fn dial_failed(&self, reason: Arc<str>) {
        {
            let mut dialling = self.lock();
            dialling.busy = false;
            let dial = dialling.dials;
            dialling.failed = Some(Failed {
                dial,
                reason: Arc::clone(&reason),
                at: clock::now(),
            });
            if self.live.load().is_empty() {
                self.dialer.failed(reason);
            }
        }
        self.changed.notify_waiters();
    }

    fn add(&self, live: Arc<Live>) {
        {
            let mut dialling = self.lock();
            dialling.busy = false;
            let mut all = Vec::clone(&self.live.load());
            all.push(live);
            self.live.store(Arc::new(all));
            self.dialer.endpoint.set_ready();
        }
        self.changed.notify_waiters();
    }

    fn remove(&self, gone: &Weak<Live>) {
        {
            let dialling = self.lock();
            let mut all = Vec::clone(&self.live.load());
            let before = all.len();
            all.retain(|live| !std::ptr::eq(Arc::as_ptr(live), gone.as_ptr()));
            if all.len() == before {
                return;
            }
            if all.is_empty() && dialling.busy {
                self.dialer.endpoint.set_connecting();
            } else if all.is_empty() {
                self.dialer.endpoint.set_idle();
            }
            self.live.store(Arc::new(all));
        }
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Dialling> {
        // A panic while the lock was held cannot have left the counters half-changed.
        self.dialling.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn reserve(&self, max_requests: Option<u32>) -> Option<StreamPermit> {
        let permit = self.connection.try_reserve()?;
        // Relaxed: a hint for the idle clock, which looks once in a long while.
        self.used.store(true, Ordering::Relaxed);
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        max_requests
            .is_none_or(|max| before < max)
            .then_some(permit)
    }

    /// Takes no more requests once it has carried all that it may.
    fn retire(&self, max_requests: u32) {
        if self.requests.load(Ordering::Relaxed) >= max_requests {
            self.connection.shutdown();
        }
    }
}

/// Runs a connection to its end, and takes it from the pool as soon as it takes no more requests.
async fn run<D: Future<Output = ()>>(
    core: Weak<Core>,
    connection: Http2Connection,
    driver: D,
    permit: ConnectionPermit,
) {
    let ending = connection.ending();
    let (live, idle_timeout) = {
        let Some(pool) = core.upgrade() else { return };
        let live = Arc::new(Live {
            connection,
            requests: AtomicU32::new(0),
            used: AtomicBool::new(true),
            _permit: permit,
        });
        let weak = Arc::downgrade(&live);
        pool.add(live);
        (weak, pool.idle_timeout)
    };
    tokio::pin!(driver);
    tokio::select! {
        () = &mut driver => {}
        () = ending => {}
        () = idle(&live, idle_timeout) => {}
    }
    if let Some(core) = core.upgrade() {
        core.remove(&live);
    }
    // Streams under way finish.
    driver.await;
}

/// Ends a connection that carried nothing for between one and two idle timeouts.
async fn idle(live: &Weak<Live>, timeout: Option<Duration>) {
    loop {
        clock::sleep_until(timeout.and_then(|timeout| clock::now().checked_add(timeout))).await;
        let Some(live) = live.upgrade() else {
            // The pool is gone, and the connection ends by itself.
            return std::future::pending().await;
        };
        let quiet = !live.used.swap(false, Ordering::Relaxed);
        if quiet && live.connection.in_flight() == 0 {
            live.connection.shutdown();
            return;
        }
    }
}
