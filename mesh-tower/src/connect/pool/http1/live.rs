//! One HTTP/1 connection of a pool: making it, its requests, its end.

use std::{
    io,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Instant,
};

use http::{Request, Response};
use mesh_core::runtime::ConnectionPermit;
use tokio::sync::watch;

use super::core::Core;
use crate::{
    body::{RequestBody, ResponseBody},
    clock,
    connect::{
        SendFailure,
        http1::{Http1Connection, Http1Home, Http1Settings},
        pool::{DialError, Dialer},
    },
};

/// A connection that nobody else uses.
#[derive(Debug)]
pub(super) struct Held {
    // In the order of their end: the connection is closed when its place is free.
    connection: Http1Connection,
    life: Arc<Life>,
}

/// A connection's place in the pool and its way back there, held by whoever uses it.
#[derive(Debug)]
pub(super) struct Life {
    core: Weak<Core>,
    permit: Option<ConnectionPermit>,
    made: Instant,
    max_requests: Option<u32>,
    requests: AtomicU32,
    // Whether the peer has ended it while nobody used it.
    lost: AtomicBool,
}

/// An attempt to connect. Tells the pool how it ended, also when it is dropped.
#[derive(Debug)]
pub(super) struct Attempt {
    core: Weak<Core>,
    permit: Option<ConnectionPermit>,
}

impl Held {
    fn new(
        core: &Arc<Core>,
        connection: Http1Connection,
        permit: Option<ConnectionPermit>,
    ) -> Self {
        let life = Arc::new(Life {
            core: Arc::downgrade(core),
            permit,
            made: clock::now(),
            max_requests: core.max_requests,
            requests: AtomicU32::new(0),
            lost: AtomicBool::new(false),
        });
        Self { connection, life }
    }

    /// Whether its peer has ended it. If not, the task of `cx` learns when it does.
    pub(super) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let closed = self.connection.poll_closed(cx);
        if closed.is_ready() {
            // Relaxed, here and below: whoever holds the connection is alone with it.
            self.life.lost.store(true, Ordering::Relaxed);
        }
        closed
    }

    pub(super) fn is_closed(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.poll_closed(&mut cx).is_ready()
    }

    pub(super) fn send(
        self,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Result<Response<ResponseBody>, SendFailure>> + Send {
        let Self { connection, life } = self;
        life.requests.fetch_add(1, Ordering::Relaxed);
        connection.send_open(request, Some(life))
    }
}

impl Life {
    pub(super) const fn made(&self) -> Instant {
        self.made
    }

    /// Whether it has carried a request, or was let go by us.
    pub(super) fn was_of_use(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0 || !self.lost.load(Ordering::Relaxed)
    }
}

impl Http1Home for Life {
    fn give_back(self: Arc<Self>, connection: Http1Connection) {
        let held = Held {
            connection,
            life: self,
        };
        let carried = held.life.requests.load(Ordering::Relaxed);
        if held.life.max_requests.is_none_or(|max| carried < max)
            && let Some(core) = held.life.core.upgrade()
        {
            core.give(held);
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // First, so that the next connection can have it.
        self.permit = None;
        if let Some(core) = self.core.upgrade() {
            core.ended(self);
        }
    }
}

/// Connects.
pub(super) async fn connect(dialer: &Dialer) -> Result<Http1Connection, DialError> {
    let begin = async |io| {
        let executor = dialer.executor.clone();
        io::Result::Ok(Http1Connection::new(io, Http1Settings::default(), executor))
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

    /// Goes on with what connecting gave: adds the connection to the pool, or tells that there is none.
    /// Looks after the pool's idle connections if nobody else does.
    pub(super) async fn run(
        mut self,
        connected: Result<Http1Connection, DialError>,
        alive: watch::Receiver<()>,
    ) {
        let permit = self.permit.take();
        // If the pool is gone, so is the connection that was made for it.
        let Some(core) = self.core.upgrade() else {
            return;
        };
        match connected {
            Ok(connection) => {
                let held = Held::new(&core, connection, permit);
                if let Some(keeper) = core.add(held) {
                    drop(core);
                    keeper.run(alive).await;
                }
            }
            Err(error) => {
                drop(permit);
                core.attempt_failed(&error);
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
