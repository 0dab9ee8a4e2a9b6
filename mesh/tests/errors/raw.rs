//! Servers that do wrong, byte by byte.

use std::{future::Future, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Frame types of HTTP/2 (RFC 9113 section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
/// Their flag of an answered SETTINGS, and of whole headers.
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// A server; gone when it is dropped.
pub(crate) struct Raw {
    pub(crate) at: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves each connection by `serve`, one after the other; it is closed when that ends.
async fn start<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Raw
where
    F: Future<Output = Option<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // What a client does to a server that does wrong is its own affair.
            let _ = serve(stream).await;
        }
    });
    Raw { at, task }
}

/// Reads the head of a request of HTTP/1, sends these bytes and closes.
pub(crate) async fn http1(answer: Vec<u8>) -> Raw {
    start(move |mut stream| {
        let answer = answer.clone();
        async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.ok()?);
            }
            stream.write_all(&answer).await.ok()
        }
    })
    .await
}

/// Speaks HTTP/2, and answers once `after` bytes of a request's body have come, with the frames that
/// `answer` makes for its stream. Closes then if `closes`.
pub(crate) async fn http2(after: usize, answer: fn(u32) -> Vec<u8>, closes: bool) -> Raw {
    start(move |mut stream| async move {
        stream.read_exact(&mut [0; 24]).await.ok()?;
        // A first window of 4 MiB, for the stream and for the connection.
        let window = [&[0, 4], &(4_u32 << 20).to_be_bytes()[..]].concat();
        stream
            .write_all(&frame(SETTINGS, 0, 0, &window))
            .await
            .ok()?;
        let more = (4_u32 << 20).to_be_bytes();
        stream
            .write_all(&frame(WINDOW_UPDATE, 0, 0, &more))
            .await
            .ok()?;
        let (mut id, mut body) = (None, 0);
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.ok()?;
            let [high, mid, low, kind, flags, of @ ..] = head;
            let len = u32::from_be_bytes([0, high, mid, low]) as usize;
            let mut payload = vec![0; len];
            stream.read_exact(&mut payload).await.ok()?;
            match kind {
                SETTINGS if flags & ACK == 0 => {
                    stream.write_all(&frame(SETTINGS, ACK, 0, &[])).await.ok()?;
                }
                HEADERS => id = Some(u32::from_be_bytes(of)),
                DATA => body += len,
                _ => {}
            }
            if let Some(stream_id) = id.take_if(|_| body >= after) {
                stream.write_all(&answer(stream_id)).await.ok()?;
                if closes {
                    return Some(());
                }
            }
        }
    })
    .await
}

/// `:status: 200`, and more to come.
pub(crate) fn head(id: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, id, &[0x88])
}

/// INTERNAL_ERROR.
pub(crate) fn reset(id: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, id, &2_u32.to_be_bytes())
}

pub(crate) fn head_and_reset(id: u32) -> Vec<u8> {
    [head(id), reset(id)].concat()
}

/// REFUSED_STREAM.
pub(crate) fn refuse(id: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, id, &7_u32.to_be_bytes())
}

/// The connection goes away, and has processed no stream.
pub(crate) fn go_away(_: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[0; 8])
}

/// Data before a head.
pub(crate) fn nonsense(id: u32) -> Vec<u8> {
    frame(DATA, 0, id, b"data")
}

fn frame(kind: u8, flags: u8, id: u32, payload: &[u8]) -> Vec<u8> {
    let [_, len @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&len[..], &[kind, flags], &id.to_be_bytes(), payload].concat()
}
