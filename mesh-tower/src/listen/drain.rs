//! Ending without failing a request.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{sync::Notify, task::coop::unconstrained};

/// How long an HTTP/1.1 connection without a request is kept once draining has begun: a request may
/// be on its way already, and closing then would lose it.
pub(super) const IDLE_GRACE: Duration = Duration::from_secs(1);

/// Begins the draining of all listeners that hold a [`Draining`] of it. Dropping it begins nothing.
#[derive(Debug)]
pub struct Drain(Arc<State>);

/// Knows when draining begins. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Draining(Arc<State>);

#[derive(Debug, Default)]
struct State {
    begun: AtomicBool,
    begins: Notify,
}

impl Drain {
    /// A drain that has not begun, and what listeners need of it.
    #[must_use]
    pub fn new() -> (Self, Draining) {
        let state = Arc::<State>::default();
        (Self(Arc::clone(&state)), Draining(state))
    }

    /// Begins: no more connections are accepted, clients are told to take their next requests
    /// elsewhere, and connections end when what is under way on them has ended.
    pub fn begin(&self) {
        // Release: whoever sees it sees what was done before.
        self.0.begun.store(true, Ordering::Release);
        self.0.begins.notify_waiters();
    }
}

impl Draining {
    /// Whether it has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::Acquire)
    }

    /// The same for a task that is woken often for other reasons.
    pub(super) fn begin(&self) -> Begin {
        let mut draining = self.clone();
        Begin {
            draining: self.clone(),
            begun: Box::pin(async move { draining.begun().await }),
            waker: None,
        }
    }

    /// Waits until it begins; for ever, if its [`Drain`] is dropped before.
    pub async fn begun(&mut self) {
        // Made before the look: it hears of a beginning in between.
        let begins = self.0.begins.notified();
        if !self.has_begun() {
            begins.await;
        }
    }
}

/// The beginning of a drain, waited for by a task that looks each time when it is woken. It is heard
/// of once, and that costs nothing as long as the task is the same.
pub(super) struct Begin {
    draining: Draining,
    begun: Pin<Box<dyn Future<Output = ()> + Send>>,
    waker: Option<Waker>,
}

impl Future for Begin {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.draining.has_begun() {
            return Poll::Ready(());
        }
        if self
            .waker
            .as_ref()
            .is_some_and(|it| it.will_wake(cx.waker()))
        {
            return Poll::Pending;
        }
        // Without the task's budget: one that is spent would leave nobody to be woken.
        let polled = Pin::new(&mut unconstrained(self.begun.as_mut())).poll(cx);
        self.waker = Some(cx.waker().clone());
        polled
    }
}

impl fmt::Debug for Begin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Begin").field(&self.draining).finish()
    }
}
