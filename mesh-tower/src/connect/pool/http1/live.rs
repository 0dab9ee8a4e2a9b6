//! One HTTP/1 connection of a pool: making it, its requests, its end.

use std::{
    io,
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use http::{Request, Response};
use mesh_core::runtime::ConnectionPermit;
use tokio::sync::oneshot;

use super::core::Core;
use crate::{
    body::{RequestBody, ResponseBody},
    clock,
    connect::{
        Io, SendFailure,
        http1::{self, Http1Connection, Http1Driver, Http1Home, Http1Settings},
        pool::{DialError, Dialer},
    },
};

/// How long a connection may take to close once nobody uses it.
const LINGER: Duration = Duration::from_secs(1);

type Driver = Http1Driver<Box<dyn Io>>;

/// A connection that nobody else uses.
#[derive(Debug)]
pub(super) struct Held {
    connection: Http1Connection,
    life: Arc<Life>,
}

/// A connection's way back to the pool, held by whoever uses it.
#[derive(Debug)]
struct Life {
    // The way back is asked of a borrow, and what goes back needs an owner.
    this: Weak<Life>,
    core: Weak<Core>,
    record: Arc<Record>,
    max_requests: Option<u32>,
    // Dropped with the last user: the connection's task learns that it is of no more use.
    _used: oneshot::Sender<()>,
}

/// What is told of a connection when it has ended.
#[derive(Debug)]
pub(super) struct Record {
    made: Instant,
    requests: AtomicU32,
}

/// An attempt to connect. Tells the pool how it ended, also when it is dropped.
#[derive(Debug)]
pub(super) struct Attempt {
    core: Weak<Core>,
    permit: Option<ConnectionPermit>,
}

/// A connection's place in the pool, held until it is closed.
struct Place {
    core: Weak<Core>,
    record: Arc<Record>,
    permit: Option<ConnectionPermit>,
}

impl Held {
    fn new(
        core: &Weak<Core>,
        connection: Http1Connection,
        max_requests: Option<u32>,
        used: oneshot::Sender<()>,
    ) -> Self {
        let life = Arc::new_cyclic(|this| Life {
            this: Weak::clone(this),
            core: Weak::clone(core),
            record: Arc::new(Record {
                made: clock::now(),
                requests: AtomicU32::new(0),
            }),
            max_requests,
            _used: used,
        });
        Self { connection, life }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.connection.is_closed()
    }

    pub(super) fn is_of(&self, record: &Record) -> bool {
        std::ptr::eq(&*self.life.record, record)
    }

    pub(super) fn send(
        self,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Result<Response<ResponseBody>, SendFailure>> + Send {
        let Self { connection, life } = self;
        // Relaxed: whoever holds the connection is alone with it.
        life.record.requests.fetch_add(1, Ordering::Relaxed);
        connection.send(request, Some(life))
    }
}

impl Record {
    pub(super) fn has_carried(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    pub(super) const fn made(&self) -> Instant {
        self.made
    }
}

impl Http1Home for Life {
    fn give_back(&self, connection: Http1Connection) {
        let carried = self.record.requests.load(Ordering::Relaxed);
        if self.max_requests.is_none_or(|max| carried < max)
            && let (Some(core), Some(life)) = (self.core.upgrade(), self.this.upgrade())
        {
            core.give(Held { connection, life });
        }
    }
}

/// Connects.
pub(super) async fn connect(dialer: &Dialer) -> Result<(Http1Connection, Driver), DialError> {
    let settings = Http1Settings::default();
    let begin = async |io| io::Result::Ok(http1::handshake(io, &settings).await?);
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
    pub(super) async fn run(mut self, connected: Result<(Http1Connection, Driver), DialError>) {
        let permit = self.permit.take();
        match connected {
            Ok((connection, driver)) => run(&self.core, connection, driver, permit).await,
            Err(error) => {
                drop(permit);
                if let Some(core) = self.core.upgrade() {
                    core.attempt_failed(&error);
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
                core.attempt_failed(&DialError::new("the task that connects was dropped"));
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // First, so that the next connection can have it.
        self.permit = None;
        if let Some(core) = self.core.upgrade() {
            core.ended(&self.record);
        }
    }
}

/// Runs a connection to its end, looking after the pool's idle ones meanwhile.
async fn run(
    core: &Weak<Core>,
    connection: Http1Connection,
    mut driver: Driver,
    permit: Option<ConnectionPermit>,
) {
    let (used, mut released) = oneshot::channel();
    let (_place, idle_timeout) = {
        // The pool is gone: so is the connection that was made for it.
        let Some(pool) = core.upgrade() else { return };
        let held = Held::new(core, connection, pool.max_requests, used);
        let record = Arc::clone(&held.life.record);
        pool.add(held);
        let core = Weak::clone(core);
        let place = Place {
            core,
            record,
            permit,
        };
        (place, pool.idle_timeout)
    };
    loop {
        tokio::select! {
            () = &mut driver => return,
            _ = &mut released => break,
            () = tick(idle_timeout) => {}
        }
        if let Some(core) = core.upgrade() {
            core.reap();
        }
    }
    // It closes by itself, unless its peer does not read what was still to be sent.
    let _ = tokio::time::timeout(LINGER, driver).await;
}

async fn tick(idle_timeout: Option<Duration>) {
    clock::sleep_until(idle_timeout.and_then(|timeout| clock::now().checked_add(timeout))).await;
}
