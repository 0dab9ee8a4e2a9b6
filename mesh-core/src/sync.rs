//! What live state is shared through between threads: the real types, or those that the models under
//! `runtime::models` run it with (`.ci/run loom`).

#[cfg(not(all(test, mesh_loom)))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic};

#[cfg(all(test, mesh_loom))]
pub(crate) use loom::sync::atomic;
#[cfg(not(all(test, mesh_loom)))]
pub(crate) use tokio::sync::watch;

#[cfg(all(test, mesh_loom))]
pub(crate) use crate::runtime::models::{
    mutex::{Mutex, MutexGuard},
    watch,
};
