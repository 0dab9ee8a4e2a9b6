//! Ending a program in good order.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Resolves when the program is asked to end: by Ctrl-C, or by SIGTERM as orchestrators do.
///
/// # Errors
/// When the signals cannot be listened to.
pub async fn requested() -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}
