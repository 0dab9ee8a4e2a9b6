//! A service that answers what a test has written, and remembers what it was sent, byte for byte.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// See the [module](self). Dropping it closes its socket.
pub(crate) struct Upstream {
    pub(crate) at: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl Upstream {
    /// Answers what `answer` says for a path. A path that ends in `cut` closes the connection behind it.
    pub(crate) async fn start(answer: fn(&str) -> &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&requests);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer, Arc::clone(&seen)));
            }
        });
        Self {
            at,
            requests,
            accepting,
        }
    }

    /// Each request's head and body as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: fn(&str) -> &'static str,
    seen: Arc<Mutex<Vec<String>>>,
) {
    let mut bytes = Vec::new();
    loop {
        while let Some(length) = whole(&bytes) {
            let request: Vec<_> = bytes.drain(..length).collect();
            let request = String::from_utf8_lossy(&request).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            seen.lock().unwrap().push(request);
            let sent = stream.write_all(answer(&path).as_bytes()).await;
            if sent.is_err() || path.ends_with("cut") {
                return;
            }
        }
        if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
            return;
        }
    }
}

/// The length of the first request, when it is all there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(bytes);
    let head = text.find("\r\n\r\n")? + 4;
    let fields = text[..head].to_ascii_lowercase();
    if fields.contains("\r\ntransfer-encoding: chunked\r\n") {
        let last = match text[head..].starts_with("0\r\n") {
            true => head,
            false => head + text[head..].find("\r\n0\r\n")? + 2,
        };
        return Some(last + text[last..].find("\r\n\r\n")? + 4);
    }
    let length = fields.split_once("\r\ncontent-length: ");
    let length = length.map_or(0, |(_, rest)| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    });
    (bytes.len() >= head + length).then_some(head + length)
}
