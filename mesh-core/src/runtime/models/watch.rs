//! Stands in for `tokio::sync::watch`, which loom cannot look into: the same promises (a change is
//! seen by whoever looks after it, with all that came before it) by loom's mutex. How tokio keeps
//! them and how it wakes tasks is left to tokio's own models.

use std::{
    convert::Infallible,
    future::poll_fn,
    ops::Deref,
    sync::{Arc, PoisonError},
    task::Poll,
};

use loom::sync::{Mutex, MutexGuard};

type Shared<T> = Arc<Mutex<(u64, T)>>;

/// Sends to all receivers.
#[derive(Debug)]
pub(crate) struct Sender<T>(Shared<T>);

/// Knows the version that it saw last.
#[derive(Debug)]
pub struct Receiver<T> {
    shared: Shared<T>,
    seen: u64,
}

fn lock<T>(shared: &Shared<T>) -> MutexGuard<'_, (u64, T)> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Copy> Sender<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new((0, value))))
    }

    pub(crate) fn subscribe(&self) -> Receiver<T> {
        let seen = lock(&self.0).0;
        Receiver {
            shared: Arc::clone(&self.0),
            seen,
        }
    }

    pub(crate) fn send_modify(&self, modify: impl FnOnce(&mut T)) {
        let mut shared = lock(&self.0);
        shared.0 += 1;
        modify(&mut shared.1);
    }

    pub(crate) fn send_replace(&self, value: T) {
        self.send_modify(|old| *old = value);
    }
}

impl<T: Copy> Receiver<T> {
    pub(crate) fn has_changed(&self) -> Result<bool, Infallible> {
        Ok(lock(&self.shared).0 != self.seen)
    }

    pub(crate) fn borrow(&self) -> impl Deref<Target = T> {
        Box::new(lock(&self.shared).1)
    }

    pub(crate) fn mark_unchanged(&mut self) {
        self.seen = lock(&self.shared).0;
    }

    pub(crate) async fn wait_for(&mut self, mut is_right: impl FnMut(&T) -> bool) {
        poll_fn(|_| match is_right(&lock(&self.shared).1) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }
}
