//! Closing so that what was said last is heard.
//!
//! A socket that is closed while the client still sends answers with a reset, and that takes with it
//! what the client has not read yet: the answer that said why. So it is read on for a moment, and what
//! comes is thrown away (RFC 9112 section 9.6; Envoy, "delayed_close_timeout").

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::timeout,
};

use crate::connect::Executor;

/// For how long.
const MOMENT: Duration = Duration::from_secs(1);

/// A client's connection. Dropping it closes it, in a while if the client may still be sending; until
/// then it has its place among the connections.
#[derive(Debug)]
pub(super) struct Lingering {
    /// `None` once it is closed.
    open: Option<Open>,
    executor: Executor,
    // Whether anything was said, and whether all was heard.
    said: bool,
    heard: bool,
}

#[derive(Debug)]
struct Open {
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
}

impl Lingering {
    pub(super) const fn new(
        stream: TcpStream,
        place: OwnedSemaphorePermit,
        executor: Executor,
    ) -> Self {
        let open = Open {
            stream,
            _place: place,
        };
        Self {
            open: Some(open),
            executor,
            said: false,
            heard: false,
        }
    }

    /// Waits for the first byte; false when there is none.
    pub(super) async fn says_something(&self) -> bool {
        match &self.open {
            Some(open) => matches!(open.stream.peek(&mut [0]).await, Ok(1..)),
            None => false,
        }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let open = self.open.as_mut().map(|open| Pin::new(&mut open.stream));
        open.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn wrote(&mut self, written: &io::Result<usize>) {
        match written {
            Ok(_) => self.said = true,
            Err(_) => self.heard = true,
        }
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if self.heard || !self.said {
            return;
        }
        if let Some(mut open) = self.open.take() {
            self.executor.spawn(async move {
                let _ = open.stream.shutdown().await;
                let _ = timeout(MOMENT, hear_out(&mut open.stream)).await;
            });
        }
    }
}

async fn hear_out(stream: &mut TcpStream) {
    let mut rest = [0; 4 << 10];
    while matches!(stream.read(&mut rest).await, Ok(1..)) {}
}

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = ready!(self.stream()?.poll_read(cx, buf));
        if read.is_err() || (buf.filled().len() == before && buf.remaining() > 0) {
            self.heard = true;
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.stream()?.poll_write(cx, data));
        self.wrote(&written);
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.stream()?.poll_write_vectored(cx, data));
        self.wrote(&written);
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}
