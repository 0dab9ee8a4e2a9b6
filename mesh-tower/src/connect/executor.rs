//! Where connections run what must outlive a call.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs background futures: connections, and uploads that go on after the response has begun.
///
/// Cheap to clone. A future that cannot be run is dropped, which ends what it was driving.
#[derive(Clone)]
pub struct Executor {
    spawn: Arc<dyn Fn(Task) + Send + Sync>,
}

impl Executor {
    /// An executor that hands each future to `spawn`, which must not block.
    pub fn new(
        spawn: impl Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            spawn: Arc::new(spawn),
        }
    }

    /// Spawns on the given tokio runtime.
    #[must_use]
    pub fn tokio(runtime: tokio::runtime::Handle) -> Self {
        Self::new(move |task| {
            runtime.spawn(task);
        })
    }

    /// Starts `task`.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        (self.spawn)(Box::pin(task));
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Executor")
    }
}
