//! loom's mutex with a door before it. loom runs no two orders that differ only in what it cannot
//! see, such as the count of an `Arc` that falls to zero just before a lock is taken. The door is
//! something to see at that place, so that others also come in between.

use std::sync::LockResult;

pub(crate) use loom::sync::MutexGuard;
use loom::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Mutex<T> {
    door: AtomicUsize,
    inner: loom::sync::Mutex<T>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            door: AtomicUsize::new(0),
            inner: loom::sync::Mutex::new(value),
        }
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        // Relaxed, so that it orders nothing that the mutex does not.
        self.door.fetch_add(1, Ordering::Relaxed);
        self.inner.lock()
    }
}
