//! One time limit over all steps.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::{DialErrorKind, DialStep};

/// When a connection must stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    whole: Duration,
    end: Instant,
}

impl Limit {
    pub(super) fn of(whole: Duration) -> Self {
        Self {
            whole,
            end: Instant::now() + whole,
        }
    }

    /// Runs one step in what is left of the time.
    pub(super) async fn run<T, E: Into<DialErrorKind>>(
        self,
        step: DialStep,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, DialErrorKind> {
        match timeout_at(self.end, work).await {
            Ok(result) => result.map_err(Into::into),
            Err(_) => Err(DialErrorKind::TimedOut {
                after: self.whole,
                step,
            }),
        }
    }
}
