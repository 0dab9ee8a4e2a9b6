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

type Driver = Http1Driver<Box<dyn Io>>;

/// A connection that nobody else uses.
#[derive(Debug)]
pub(super) struct Held {
    connection: Http1Connection,
    life: Arc<Life>,
}

/// A connection's record, and its way back to the pool.
#[derive(Debug)]
pub(super) struct Life {
    // The way back is asked of a borrow, and what goes back needs an owner.
    this: Weak<Life>,
    core: Weak<Core>,
    made: Instant,
    max_requests: Option<u32>,
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
    life: Arc<Life>,
    permit: Option<ConnectionPermit>,
}

impl Held {
    pub(super) fn new(core: &Weak<Core>, connection: Http1Connection, max: Option<u32>) -> Self {
        let life = Arc::new_cyclic(|this| Life {
            this: Weak::clone(this),
            core: Weak::clone(core),
            made: clock::now(),
            max_requests: max,
            requests: AtomicU32::new(0),
        });
        Self { connection, life }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.connection.is_closed()
    }

    pub(super) fn is_of(&self, life: &Life) -> bool {
        std::ptr::eq(&*self.life, life)
    }

    pub(super) async fn send(
        self,
        request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, SendFailure> {
        let Self { connection, life } = self;
        let home = life.may_return().then_some(life as Arc<dyn Http1Home>);
        connection.send(request, home).await
    }
}

impl Life {
    /// Counts a request; gives whether another may follow.
    fn may_return(&self) -> bool {
        // Relaxed: whoever holds the connection is alone with it.
        let carried = self
            .requests
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_add(1);
        self.max_requests.is_none_or(|max| carried < max)
    }

    pub(super) fn has_carried(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    pub(super) const fn made(&self) -> Instant {
        self.made
    }
}

impl Http1Home for Life {
    fn give_back(&self, connection: Http1Connection) {
        if let (Some(core), Some(life)) = (self.core.upgrade(), self.this.upgrade()) {
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
            core.ended(&self.life);
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
    let (_place, idle_timeout) = {
        // The pool is gone: so is the connection that was made for it.
        let Some(pool) = core.upgrade() else { return };
        let held = Held::new(core, connection, pool.max_requests);
        let life = Arc::clone(&held.life);
        pool.add(held);
        let core = Weak::clone(core);
        (Place { core, life, permit }, pool.idle_timeout)
    };
    loop {
        tokio::select! {
            () = &mut driver => return,
            () = tick(idle_timeout) => {}
        }
        let Some(core) = core.upgrade() else {
            return driver.await;
        };
        core.reap();
    }
}

async fn tick(idle_timeout: Option<Duration>) {
    clock::sleep_until(idle_timeout.and_then(|timeout| clock::now().checked_add(timeout))).await;
}
