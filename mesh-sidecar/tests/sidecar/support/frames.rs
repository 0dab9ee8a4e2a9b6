//! HTTP/2, frame by frame (RFC 9113).

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use super::PATIENCE;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

/// A connection of which both sides have said their settings.
pub(crate) struct Frames {
    pub(crate) reads: FrameReader,
    pub(crate) writes: OwnedWriteHalf,
}

pub(crate) struct FrameReader(OwnedReadHalf);

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// The bytes of a frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A block of header fields, each as a literal that is not indexed (RFC 7541 section 6.2.2).
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name, value] {
            length(&mut bytes, text.len());
            bytes.extend(text.as_bytes());
        }
    }
    bytes
}

/// An integer with a prefix of seven bits (RFC 7541 section 5.1).
fn length(bytes: &mut Vec<u8>, value: usize) {
    if value < 127 {
        bytes.push(value as u8);
        return;
    }
    bytes.push(127);
    let mut rest = value - 127;
    while rest >= 128 {
        bytes.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    bytes.push(rest as u8);
}

/// The fields of a request for `path` at `shop.test`.
pub(crate) fn head<'t>(method: &'t str, path: &'t str) -> Vec<(&'t str, &'t str)> {
    vec![
        (":method", method),
        (":scheme", "http"),
        (":authority", "shop.test"),
        (":path", path),
    ]
}

impl Frames {
    pub(crate) async fn connect(at: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        hello.extend(frame(SETTINGS, 0, 0, &[]));
        stream.write_all(&hello).await.unwrap();
        let (reads, writes) = stream.into_split();
        let mut frames = Self {
            reads: FrameReader(reads),
            writes,
        };
        while let Some(frame) = frames.reads.next().await {
            if (frame.kind, frame.flags) == (SETTINGS, 0) {
                break;
            }
        }
        assert!(frames.say(&frame(SETTINGS, ACK, 0, &[])).await);
        frames
    }

    /// The status of the answer on a stream: a literal, or one of the first fields of the static table
    /// (RFC 7541 appendix A).
    pub(crate) async fn status(&mut self, stream: u32) -> String {
        loop {
            let frame = self.reads.next().await.expect("the connection");
            if (frame.kind, frame.stream) != (HEADERS, stream) {
                continue;
            }
            return match frame.payload[..] {
                [0x88, ..] => "200".to_owned(),
                [first, ..] if first & 0x80 != 0 => format!("of the table: {first}"),
                // A literal, with the name of the table's eighth field.
                [_, 3, ref rest @ ..] => String::from_utf8_lossy(&rest[..3]).into_owned(),
                [_, _, ref rest @ ..] => huffman(rest),
                _ => "none".to_owned(),
            };
        }
    }

    /// False when the other side takes no more.
    pub(crate) async fn say(&mut self, bytes: &[u8]) -> bool {
        let said = timeout(PATIENCE, self.writes.write_all(bytes)).await;
        said.unwrap().is_ok()
    }
}

/// Three digits as Huffman's code has them (RFC 7541 appendix B): those below three have five bits, the
/// others six.
fn huffman(bytes: &[u8]) -> String {
    let all = bytes.iter().chain(&[0; 3]).take(3);
    let bits = all.fold(0, |bits, byte| bits << 8 | u32::from(*byte));
    let (mut text, mut left) = (String::new(), 24);
    while text.len() < 3 {
        let five = bits >> (left - 5) & 0x1f;
        if five < 3 {
            text.push(char::from(b'0' + five as u8));
            left -= 5;
            continue;
        }
        let six = bits >> (left - 6) & 0x3f;
        text.push(char::from(b'3' + (six - 0x19) as u8));
        left -= 6;
    }
    text
}

impl FrameReader {
    /// The next frame; `None` at the end of the connection.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        let read = async {
            self.0.read_exact(&mut head).await?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            self.0.read_exact(&mut payload).await?;
            std::io::Result::Ok(payload)
        };
        let payload = timeout(PATIENCE, read).await.expect("a frame").ok()?;
        Some(Frame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
            payload,
        })
    }

    /// Reads to the end; the error of the GOAWAY, if one came.
    pub(crate) async fn goaway(&mut self) -> Option<u32> {
        let mut error = None;
        while let Some(frame) = self.next().await {
            if frame.kind == GOAWAY {
                let code = frame.payload[4..8].try_into().unwrap();
                error = Some(u32::from_be_bytes(code));
            }
        }
        error
    }
}
