//! Ending a program in good order.

use std::{future::Future, io};

use tokio::signal::unix::{SignalKind, signal};

/// Gives a future that resolves when the program is asked to end: by Ctrl-C, or by SIGTERM as
/// orchestrators do. From this call on neither signal kills it.
///
/// # Errors
/// When the signals cannot be listened to.
pub fn requested() -> io::Result<impl Future<Output = ()>> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}
