//! Telling HTTP/2 from HTTP/1.1 by the first bytes of a connection.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// What a client of HTTP/2 says first (RFC 9113 section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    Http1,
    Http2,
}

/// A connection of which the first bytes have been read already, and are read again.
#[derive(Debug)]
pub(super) struct Heard<I> {
    first: [u8; PREFACE.len()],
    // What of `first` is still to be read.
    from: u8,
    to: u8,
    io: I,
}

/// Listens until it is clear what the client speaks: all that is not HTTP/2 is taken for HTTP/1.1.
/// `None` when the client leaves without a word.
///
/// # Errors
/// Those of the connection.
pub(super) async fn hear<I>(mut io: I) -> io::Result<Option<(Spoken, Heard<I>)>>
where
    I: AsyncRead + Unpin,
{
    let mut first = [0; PREFACE.len()];
    let mut len = 0;
    let spoken = loop {
        let read = io.read(&mut first[len..]).await?;
        len += read;
        if len == 0 {
            return Ok(None);
        }
        if read == 0 || first[..len] != PREFACE[..len] {
            break Spoken::Http1;
        }
        if len == PREFACE.len() {
            break Spoken::Http2;
        }
    };
    let heard = Heard {
        first,
        from: 0,
        to: len as u8,
        io,
    };
    Ok(Some((spoken, heard)))
}

impl<I: AsyncRead + Unpin> AsyncRead for Heard<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.from == self.to {
            return Pin::new(&mut self.io).poll_read(cx, buf);
        }
        let left = &self.first[usize::from(self.from)..usize::from(self.to)];
        let taken = left.len().min(buf.remaining());
        buf.put_slice(&left[..taken]);
        self.from += taken as u8;
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Heard<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    /// What is heard of a client that says `parts`, each in a write of its own, and leaves.
    async fn heard(parts: &[&[u8]]) -> Option<(Spoken, Vec<u8>)> {
        let (mut client, server) = tokio::io::duplex(1);
        let said = async move {
            for part in parts {
                client.write_all(part).await.unwrap();
            }
        };
        let listened = async move {
            let (spoken, mut io) = hear(server).await.unwrap()?;
            let mut all = Vec::new();
            io.read_to_end(&mut all).await.unwrap();
            Some((spoken, all))
        };
        tokio::join!(said, listened).1
    }

    #[tokio::test]
    async fn every_byte_is_read_again_whatever_is_spoken() {
        let get = b"GET / HTTP/1.1\r\n\r\n";
        let http2 = [&PREFACE[..], b"\0\0\0\x04\0\0\0\0\0"].concat();
        for (said, spoken) in [
            (&get[..], Spoken::Http1),
            (b"P", Spoken::Http1),
            (b"PUT / HTTP/1.1\r\n\r\n", Spoken::Http1),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX", Spoken::Http1),
            (&PREFACE[..], Spoken::Http2),
            (&http2, Spoken::Http2),
        ] {
            let expected = Some((spoken, said.to_vec()));
            assert_eq!(heard(&[said]).await, expected);
            let bytes: Vec<&[u8]> = said.chunks(1).collect();
            assert_eq!(heard(&bytes).await, expected);
        }
    }

    #[tokio::test]
    async fn a_client_that_says_nothing_speaks_nothing() {
        assert_eq!(heard(&[]).await, None);
    }
}
