//! A client that writes what it is told, byte by byte, and reads the answer.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Ask, outcome::Answer};

/// Sends one request on a connection of its own.
pub(crate) async fn send(at: SocketAddr, ask: &Ask, id: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(at).await.ok()?;
    let bytes = ask.raw.as_ref().map_or_else(
        || bytes(ask, id),
        |raw| raw.replacen("ID", id, 1).into_bytes(),
    );
    stream.write_all(&bytes).await.ok()?;
    Reader::new(stream).answer(ask.method == "HEAD").await
}

fn bytes(ask: &Ask, id: &str) -> Vec<u8> {
    let mut text = format!("{} {} HTTP/1.1\r\n", ask.method, ask.path);
    text.push_str(&format!(
        "host: {}\r\nx-request-id: {id}\r\n",
        ask.authority
    ));
    for (name, value) in &ask.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    match &ask.body {
        Some(_) if ask.chunked => text.push_str("transfer-encoding: chunked\r\n"),
        Some(body) => text.push_str(&format!("content-length: {}\r\n", body.len())),
        None => {}
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    let Some(body) = ask.body.as_ref().filter(|_| ask.chunked) else {
        bytes.extend(ask.body.iter().flatten());
        return bytes;
    };
    for piece in body.chunks(1 << 14) {
        bytes.extend(format!("{:x}\r\n", piece.len()).bytes());
        bytes.extend(piece);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n");
    for (name, value) in &ask.trailers {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    bytes.extend(b"\r\n");
    bytes
}

struct Reader {
    stream: TcpStream,
    bytes: Vec<u8>,
    ended: bool,
}

impl Reader {
    const fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            bytes: Vec::new(),
            ended: false,
        }
    }

    async fn answer(mut self, bodiless: bool) -> Option<Answer> {
        let head = loop {
            let head = self.block().await?;
            // What is said before the answer is none.
            if !head.starts_with("HTTP/1.1 1") {
                break head;
            }
        };
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = fields(lines);
        let value = |name: &str| {
            let found = headers.iter().find(|(it, _)| it == name);
            found.map(|(_, value)| value.as_str())
        };
        let (body, trailers, whole) = if bodiless || matches!(status, 204 | 304) {
            (Vec::new(), Vec::new(), true)
        } else if value("transfer-encoding") == Some("chunked") {
            self.chunks().await
        } else if let Some(length) = value("content-length") {
            let length = length.parse().ok()?;
            let whole = self.fill(length).await;
            self.bytes.truncate(length);
            (self.bytes, Vec::new(), whole)
        } else {
            while self.more().await {}
            (self.bytes, Vec::new(), true)
        };
        Some(Answer {
            status,
            headers,
            body,
            trailers,
            whole,
        })
    }

    /// The text up to an empty line.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = find(&self.bytes, b"\r\n\r\n") {
                let block: Vec<u8> = self.bytes.drain(..end + 4).collect();
                return Some(String::from_utf8_lossy(&block[..end]).into_owned());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    async fn chunks(&mut self) -> (Vec<u8>, Vec<(String, String)>, bool) {
        let mut body = Vec::new();
        loop {
            let Some(line) = self.line().await else {
                return (body, Vec::new(), false);
            };
            let size = usize::from_str_radix(line.trim(), 16).unwrap_or(0);
            if size == 0 {
                let mut trailers = Vec::new();
                while let Some(line) = self.line().await.filter(|line| !line.is_empty()) {
                    trailers.push(line);
                }
                return (body, fields(trailers.iter().map(String::as_str)), true);
            }
            if !self.fill(size + 2).await {
                body.append(&mut self.bytes);
                return (body, Vec::new(), false);
            }
            body.extend(self.bytes.drain(..size));
            self.bytes.drain(..2);
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = find(&self.bytes, b"\r\n") {
                let line: Vec<u8> = self.bytes.drain(..end + 2).collect();
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Whether so many bytes came.
    async fn fill(&mut self, count: usize) -> bool {
        while self.bytes.len() < count {
            if !self.more().await {
                return false;
            }
        }
        true
    }

    /// Whether any more bytes came.
    async fn more(&mut self) -> bool {
        let mut piece = vec![0; 16 << 10];
        let read = self.stream.read(&mut piece).await.unwrap_or(0);
        self.bytes.extend(&piece[..read]);
        self.ended |= read == 0;
        read > 0
    }
}

fn fields<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let field = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    lines.filter_map(field).collect()
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|it| it == what)
}
