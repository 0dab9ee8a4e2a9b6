//! One HTTP/2 connection of a pool: making it, its streams, its end.

use std::{
    io,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use http::Request;
use mesh_core::runtime::ConnectionPermit;
use tokio::sync::Notify;

use super::core::{Core, Leaving};
use crate::{
    body::RequestBody,
    clock,
    connect::{
        Executor, Io,
        http2::{self, Http2Connection, Http2Driver, Http2Send, Http2Settings, StreamPermit},
        pool::{DialError, Dialer},
    },
};

type Driver = Http2Driver<Box<dyn Io>>;

/// A connection that takes requests.
#[derive(Debug)]
pub(super) struct Live {
    connection: Http2Connection,
    made: Instant,
    requests: AtomicU32,
    // Relaxed, both: hints for the connection's own task, which looks once in a long while.
    carried: AtomicBool,
    used: AtomicBool,
}

/// A stream for one request.
#[derive(Debug)]
pub(super) struct Reserved {
    permit: StreamPermit,
    // Set for the last request that the connection may carry.
    last: Option<Arc<Live>>,
}

/// An attempt to connect. Tells the pool how it ended, also when it is dropped.
#[derive(Debug)]
pub(super) struct Attempt {
    core: Weak<Core>,
    permit: Option<ConnectionPermit>,
}

/// A connection's membership in the pool, which ends with this.
struct Member {
    core: Weak<Core>,
    live: Weak<Live>,
    leaving: Leaving,
}

impl Live {
    pub(super) fn new(connection: Http2Connection) -> Self {
        Self {
            connection,
            made: clock::now(),
            requests: AtomicU32::new(0),
            carried: AtomicBool::new(false),
            used: AtomicBool::new(true),
        }
    }

    pub(super) const fn made(&self) -> Instant {
        self.made
    }

    pub(super) fn has_carried(&self) -> bool {
        self.carried.load(Ordering::Relaxed)
    }

    /// Why a connection that ended at once counts as one that could not be made.
    pub(super) fn brief_life(&self) -> DialError {
        let cause = self.connection.close_cause();
        let cause = cause.unwrap_or("it takes no requests");
        DialError::new(format!(
            "the connection ended as soon as it was made: {cause}"
        ))
    }

    pub(super) fn reserve(self: &Arc<Self>, max_requests: Option<u32>) -> Option<Reserved> {
        let last = match max_requests {
            None => None,
            // Counted before it has a stream, so that the limit holds whoever comes in between.
            Some(max) => {
                let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
                let count = |count| (count < max).then(|| count + 1);
                let before = self.requests.fetch_update(set, fetch, count).ok()?;
                (before + 1 == max).then(|| Arc::clone(self))
            }
        };
        let Some(permit) = self.connection.try_reserve() else {
            if max_requests.is_some() {
                self.requests.fetch_sub(1, Ordering::Relaxed);
            }
            return None;
        };
        // Written only when it changes: the line is shared by all who send.
        for flag in [&self.used, &self.carried] {
            if !flag.load(Ordering::Relaxed) {
                flag.store(true, Ordering::Relaxed);
            }
        }
        Some(Reserved { permit, last })
    }

    /// Whether nothing was carried since this was asked last, nor is now.
    fn is_quiet(&self) -> bool {
        let used = self.used.swap(false, Ordering::Relaxed);
        if self.connection.in_flight() > 0 {
            // Its idle time begins when this ends, which may be at once.
            self.used.store(true, Ordering::Relaxed);
            return false;
        }
        !used
    }
}

impl Reserved {
    /// Sends a request; it is queued on its connection when this returns.
    pub(super) fn send(self, request: Request<RequestBody>) -> Http2Send {
        let sending = self.permit.send(request);
        if let Some(live) = self.last {
            live.connection.shutdown();
        }
        sending
    }
}

/// Connects, up to the peer's SETTINGS.
pub(super) async fn connect(
    dialer: &Dialer,
    settings: &Http2Settings,
    changed: Arc<Notify>,
) -> Result<(Http2Connection, Driver), DialError> {
    let executor: Executor = dialer.executor.clone();
    let begin = async |io| {
        let (connection, mut driver) = http2::handshake(io, settings, executor, changed).await?;
        driver.settled().await?;
        io::Result::Ok((connection, driver))
    };
    dialer.dial(begin).await
}

impl Attempt {
    pub(super) fn new(core: &Arc<Core>, permit: ConnectionPermit) -> Self {
        Self {
            core: Arc::downgrade(core),
            permit: Some(permit),
        }
    }

    /// Goes on with what connecting gave: runs the connection to its end, or tells that there is none.
    pub(super) async fn run(mut self, connected: Result<(Http2Connection, Driver), DialError>) {
        let permit = self.permit.take();
        match connected {
            Ok((connection, driver)) => run(&self.core, connection, driver, permit).await,
            Err(error) => {
                // First, or the next attempt would find it in its way.
                drop(permit);
                if let Some(core) = self.core.upgrade() {
                    core.attempt_failed(error);
                }
            }
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            drop(permit);
            if let Some(core) = self.core.upgrade() {
                core.attempt_failed(DialError::new("the task that connects was dropped"));
            }
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let (Some(core), Some(live)) = (self.core.upgrade(), self.live.upgrade()) {
            core.remove(&live, self.leaving);
        }
    }
}

/// Runs a connection to its end. It leaves the pool as soon as it takes no more requests; streams
/// under way finish, and it counts against the limit until they have.
async fn run(
    core: &Weak<Core>,
    connection: Http2Connection,
    mut driver: Driver,
    permit: Option<ConnectionPermit>,
) {
    let ending = connection.ending();
    let (mut member, idle_timeout) = {
        // The pool is gone: so is the connection that was made for it.
        let Some(pool) = core.upgrade() else { return };
        let live = Arc::downgrade(&pool.add(connection));
        let (core, leaving) = (Weak::clone(core), Leaving::Theirs);
        let member = Member {
            core,
            live,
            leaving,
        };
        (member, pool.idle_timeout)
    };
    tokio::select! {
        // The close comes before the news of it.
        biased;
        () = &mut driver => {
            // First, so that the next connection can have it.
            drop(permit);
            return;
        }
        () = ending => {}
        () = idle(&member.live, idle_timeout) => member.leaving = Leaving::Ours,
    }
    drop(member);
    driver.await;
    drop(permit);
}

/// Ends a connection that carried nothing for between one and two idle timeouts.
async fn idle(live: &Weak<Live>, timeout: Option<Duration>) {
    loop {
        clock::sleep_until(timeout.and_then(|timeout| clock::now().checked_add(timeout))).await;
        let Some(live) = live.upgrade() else {
            // The pool is gone, and the connection ends by itself.
            return std::future::pending().await;
        };
        if live.is_quiet() {
            live.connection.shutdown();
            return;
        }
    }
}
