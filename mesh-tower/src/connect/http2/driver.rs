//! The task of a connection: frames in and out, keepalive, limits.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;

use crate::connect::Executor;

use super::config::{Http2Settings, LIMIT_NOT_TOLD};
use super::connection::{ConnectionState, Http2Connection};
use super::keepalive::Keepalive;
use super::shared::{self, Shared};

/// Why a connection ended that says nothing else.
const CLOSED: &str = "the peer closed it";

/// Drives one connection; its owner spawns it. Completes when the connection is gone, and
/// dropping it closes the connection and fails its streams.
#[must_use = "a connection does nothing until its driver is polled"]
pub struct Http2Driver<IO>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    shared: Arc<Shared>,
    connection: Connection<IO, Bytes>,
    /// Tells whether new streams would be refused. Dropped at the release, because h2 does not
    /// close while a sender exists.
    probe: Option<SendRequest<Bytes>>,
    keepalive: Option<Keepalive>,
    max_streams: usize,
    settled: bool,
}

/// Starts HTTP/2 on `io` with prior knowledge (or after ALPN).
///
/// Gives the handle and the driver to spawn. `executor` runs uploads that go on after their
/// response has begun. `changed` is notified as [`Http2Connection::changed`] says; a pool passes
/// one for all its connections.
///
/// # Errors
/// When the preface cannot be written.
pub async fn handshake<IO>(
    io: IO,
    settings: &Http2Settings,
    executor: Executor,
    changed: Arc<Notify>,
) -> io::Result<(Http2Connection, Http2Driver<IO>)>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let (sender, mut connection) = settings.builder().handshake(io).await.map_err(|error| {
        error
            .into_io()
            .unwrap_or_else(|| io::ErrorKind::Other.into())
    })?;
    let keepalive = settings
        .keepalive_interval
        .zip(connection.ping_pong())
        .map(|(interval, pings)| Keepalive::new(pings, interval, settings));
    let probe = sender.clone();
    let limit = settings.initial_max_streams.min(settings.max_streams);
    let (handle, shared) = Http2Connection::new(sender, limit, executor, changed);
    let driver = Http2Driver {
        shared,
        connection,
        probe: Some(probe),
        keepalive,
        max_streams: settings.max_streams,
        settled: false,
    };
    Ok((handle, driver))
}

impl<IO> Http2Driver<IO>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    /// Drives the connection until the peer's SETTINGS are here: until it is known to speak HTTP/2,
    /// and how many streams it allows.
    ///
    /// # Errors
    /// When the connection ends instead.
    pub async fn settled(&mut self) -> io::Result<()> {
        poll_fn(|cx| match Pin::new(&mut *self).poll(cx) {
            Poll::Ready(()) => {
                let cause = self.shared.cause().unwrap_or(CLOSED);
                let text = format!("the peer did not begin HTTP/2: {cause}");
                Poll::Ready(Err(io::Error::other(text)))
            }
            Poll::Pending if self.settled => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Lets the handles know what the frames just read have changed.
    fn publish(&mut self) {
        let limit = self.connection.max_concurrent_send_streams();
        if limit != LIMIT_NOT_TOLD {
            self.settled = true;
            self.shared.publish_limit(limit.min(self.max_streams));
        }
        if let Some(probe) = &mut self.probe
            && shared::is_refusing(probe)
        {
            self.shared.raise(ConnectionState::Draining);
        }
    }
}

impl<IO> Future for Http2Driver<IO>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.shared.register_driver(cx.waker());
        if this.probe.is_some() && this.shared.is_released() {
            this.probe = None;
        }
        if let Poll::Ready(result) = Pin::new(&mut this.connection).poll(cx) {
            match result {
                Ok(()) => this.shared.close(CLOSED),
                Err(error) => this.shared.close(&error.to_string()),
            }
            return Poll::Ready(());
        }
        this.publish();
        if let Some(keepalive) = &mut this.keepalive
            && keepalive
                .poll_timeout(cx, this.shared.in_flight())
                .is_ready()
        {
            this.shared.close("keepalive timed out");
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl<IO> Drop for Http2Driver<IO>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    fn drop(&mut self) {
        // Before the fields go: h2 then fails the streams, and they ask for the cause.
        self.shared.close("the connection's task was dropped");
    }
}

impl<IO> fmt::Debug for Http2Driver<IO>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Driver").finish_non_exhaustive()
    }
}
