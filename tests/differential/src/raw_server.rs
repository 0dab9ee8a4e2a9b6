//! A server that says what it is told, whether or not it is HTTP.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

/// Answers each request with the same bytes, and closes the connection. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct RawServer {
    at: SocketAddr,
    task: AbortHandle,
}

impl RawServer {
    pub(crate) fn start(bytes: &str) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let at = listener.local_addr().unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let bytes = bytes.to_owned();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let bytes = bytes.clone();
                tokio::spawn(async move { answer(stream, &bytes).await });
            }
        });
        Self {
            at,
            task: task.abort_handle(),
        }
    }

    pub(crate) const fn at(&self) -> SocketAddr {
        self.at
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads the head of a request, answers, and waits until the other side has seen the end.
async fn answer(mut stream: TcpStream, bytes: &str) {
    let (mut head, mut piece) = (Vec::<u8>::new(), [0; 4096]);
    while !head.windows(4).any(|it| it == b"\r\n\r\n") {
        match stream.read(&mut piece).await {
            Ok(read @ 1..) => head.extend(&piece[..read]),
            _ => return,
        }
    }
    let _ = stream.write_all(bytes.as_bytes()).await;
    let _ = stream.shutdown().await;
    while matches!(stream.read(&mut piece).await, Ok(1..)) {}
}
