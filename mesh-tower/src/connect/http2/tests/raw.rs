//! A peer that speaks in frames, one by one.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::connect::http2::{Http2Connection, Http2Settings, handshake};

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const ACK: u8 = 1;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// HPACK's static entry for `:status: 200`.
pub(super) const STATUS_200: &[u8] = &[0x88];

#[derive(Debug)]
pub(super) struct RawFrame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

pub(super) struct RawPeer {
    pub(super) client: Http2Connection,
    pub(super) driver: JoinHandle<()>,
    pub(super) io: DuplexStream,
}

impl RawPeer {
    pub(super) async fn start(settings: &Http2Settings) -> Self {
        Self::announcing(settings, &[]).await
    }

    /// Reads the preface and sends SETTINGS with `payload`.
    pub(super) async fn announcing(settings: &Http2Settings, payload: &[u8]) -> Self {
        let (near, io) = tokio::io::duplex(1 << 20);
        let changed = Arc::new(Notify::new());
        let (client, driver) = handshake(near, settings, super::peer::executor(), changed)
            .await
            .unwrap();
        let driver = tokio::spawn(driver);
        let mut peer = Self { client, driver, io };
        let mut preface = [0; 24];
        super::soon(peer.io.read_exact(&mut preface)).await.unwrap();
        assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        peer.write(SETTINGS, 0, 0, payload).await;
        peer
    }

    pub(super) async fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let written = self.try_write(kind, flags, stream, payload).await;
        assert!(written, "the client has closed");
    }

    /// False if the client has closed.
    pub(super) async fn try_write(
        &mut self,
        kind: u8,
        flags: u8,
        stream: u32,
        payload: &[u8],
    ) -> bool {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.io.write_all(&frame).await.is_ok()
    }

    pub(super) async fn read_any(&mut self) -> Option<RawFrame> {
        let mut head = [0; 9];
        super::soon(self.io.read_exact(&mut head)).await.ok()?;
        let len = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; len as usize];
        super::soon(self.io.read_exact(&mut payload)).await.ok()?;
        Some(RawFrame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
            payload,
        })
    }

    /// The next frame that is not about the connection's settings or windows.
    pub(super) async fn read(&mut self) -> Option<RawFrame> {
        loop {
            let frame = self.read_any().await?;
            if frame.kind != SETTINGS && frame.kind != WINDOW_UPDATE {
                return Some(frame);
            }
        }
    }

    pub(super) async fn expect(&mut self, kind: u8) -> RawFrame {
        let frame = self.read().await.unwrap();
        assert_eq!(frame.kind, kind, "{frame:?}");
        frame
    }

    pub(super) async fn reset(&mut self, stream: u32, code: u32) {
        self.write(RST_STREAM, 0, stream, &code.to_be_bytes()).await;
    }

    pub(super) async fn go_away(&mut self, last: u32, code: u32) {
        let payload = [last.to_be_bytes(), code.to_be_bytes()].concat();
        self.write(GOAWAY, 0, 0, &payload).await;
    }

    /// Tells the client's driver apart from one that has not yet read: it answers a PING.
    pub(super) async fn sync(&mut self) {
        self.write(PING, 0, 0, b"syncsync").await;
        loop {
            let frame = self.read().await.unwrap();
            if frame.kind == PING && frame.flags == ACK {
                return;
            }
        }
    }
}
