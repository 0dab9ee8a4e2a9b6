//! A byte stream and what was read ahead of it.

use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use crate::connect::{Io, SendFailureKind};

use super::out::Out;

/// Most responses are read in one go of this size: nothing is set aside for them before they come.
const FIRST_READ: usize = 4 << 10;

/// No read takes more. Each that fills its room doubles it up to here; one that leaves most of it
/// halves it.
const LARGEST_READ: usize = 64 << 10;

/// An idle connection keeps so much room for the next head.
const KEPT: usize = 1 << 10;

/// Both directions of one connection. Closed when it is dropped.
pub(super) struct Wire {
    io: Box<dyn Io>,
    /// Read and not yet used.
    pub(super) read: BytesMut,
    /// The room of the next read.
    room: usize,
    /// Not yet written.
    pub(super) out: Out,
}

impl Wire {
    pub(super) fn new(io: Box<dyn Io>) -> Self {
        Self {
            io,
            read: BytesMut::new(),
            room: FIRST_READ,
            out: Out::default(),
        }
    }

    /// Appends to what was read. Gives how much; zero at the end.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let count = if self.room == FIRST_READ {
            let mut room = [MaybeUninit::uninit(); FIRST_READ];
            let mut room = ReadBuf::uninit(&mut room);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut room))?;
            self.read.extend_from_slice(room.filled());
            room.filled().len()
        } else {
            self.read.reserve(self.room);
            // Holds nothing between two polls.
            ready!(pin!(self.io.read_buf(&mut self.read)).poll(cx))?
        };
        if count >= self.room {
            self.room = (self.room * 2).min(LARGEST_READ);
        } else if count < self.room / 4 {
            // Who keeps a part of a body keeps the room that it was read into.
            self.room = (self.room / 2).max(FIRST_READ);
        }
        Poll::Ready(Ok(count))
    }

    /// Writes all that is out.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let slices = self.out.slices();
            let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, &slices))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(written);
        }
        // TLS may have kept some.
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Ready if the peer has closed the connection or sends what nobody asked for: it is of no more
    /// use, and must not be asked again.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut byte = [0];
        Pin::new(&mut self.io)
            .poll_read(cx, &mut ReadBuf::new(&mut byte))
            .map(drop)
    }

    /// Lets go of most memory: a connection may be idle for long.
    pub(super) fn rest(&mut self) {
        self.read = BytesMut::new();
        self.room = FIRST_READ;
        self.out.rest(KEPT);
    }
}

/// What ended a connection: an error, or the peer's end.
pub(super) fn lost(end: io::Result<usize>) -> SendFailureKind {
    let cause = match end {
        Ok(_) => "the peer closed it".into(),
        Err(error) => error.to_string(),
    };
    SendFailureKind::ConnectionLost(cause.into())
}

impl Drop for Wire {
    fn drop(&mut self) {
        // TLS takes leave of its peer (RFC 8446 section 6.1), if it can do so at once.
        let _ = Pin::new(&mut self.io).poll_shutdown(&mut Context::from_waker(Waker::noop()));
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("read", &self.read.len())
            .finish_non_exhaustive()
    }
}
