//! What a client connection announces and how it keeps itself alive.

use std::time::Duration;

/// The largest flow-control window (RFC 9113 section 6.9.1).
const MAX_WINDOW: u32 = (1 << 31) - 1;

/// What h2 holds for the peer's stream limit until the peer's SETTINGS are here: no SETTINGS can say
/// it, so that a change tells of their arrival. The limit that counts until then is our own.
pub(super) const LIMIT_NOT_TOLD: usize = usize::MAX - 1;

/// Settings of one HTTP/2 client connection. The defaults are Envoy's where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http2Settings {
    /// Bytes a peer may send on one stream before we read them. Default 16 MiB.
    pub initial_stream_window: u32,
    /// Bytes a peer may send on all streams before we read them. Default 24 MiB.
    pub initial_connection_window: u32,
    /// Streams assumed to be allowed until the peer's SETTINGS arrive. Default 100.
    pub initial_max_streams: usize,
    /// Our own limit of streams, whatever the peer allows. Default 2^31 − 1.
    pub max_streams: usize,
    /// Time between keepalive PINGs; `None` (the default) sends none.
    pub keepalive_interval: Option<Duration>,
    /// How long a PING may stay unanswered before the connection is closed. Default 20 s.
    pub keepalive_timeout: Duration,
    /// Whether PINGs go out while no stream is open. Default false.
    pub keepalive_while_idle: bool,
    /// Largest list of response headers accepted, in bytes as HTTP/2 counts them. Default 60 KiB.
    pub max_header_list_size: u32,
    /// Largest DATA frame accepted, 16,384 to 16,777,215 bytes. Default 16 KiB.
    pub max_frame_size: u32,
    /// Bytes of one stream's request body that may wait for the socket. Default 256 KiB.
    pub send_buffer: usize,
}

impl Default for Http2Settings {
    fn default() -> Self {
        Self {
            initial_stream_window: 16 << 20,
            initial_connection_window: 24 << 20,
            initial_max_streams: 100,
            max_streams: MAX_WINDOW as usize,
            keepalive_interval: None,
            keepalive_timeout: Duration::from_secs(20),
            keepalive_while_idle: false,
            max_header_list_size: 60 << 10,
            max_frame_size: 16 << 10,
            send_buffer: 256 << 10,
        }
    }
}

impl Http2Settings {
    /// Values outside what the protocol can say are moved to its nearest.
    pub(super) fn builder(&self) -> h2::client::Builder {
        let mut builder = h2::client::Builder::new();
        builder
            .enable_push(false)
            .initial_window_size(self.initial_stream_window.min(MAX_WINDOW))
            .initial_connection_window_size(self.initial_connection_window.min(MAX_WINDOW))
            .initial_max_send_streams(LIMIT_NOT_TOLD)
            .max_header_list_size(self.max_header_list_size)
            .max_frame_size(self.max_frame_size.clamp(16_384, 16_777_215))
            .max_send_buffer_size(self.send_buffer.clamp(1, u32::MAX as usize))
            // A frame for a stream that h2 has forgotten counts as an error of the connection, and
            // enough of them close it. A busy connection whose callers cancel must not die of
            // that, so it remembers more streams and bears more errors than by default.
            .max_concurrent_reset_streams(1024)
            .max_local_error_reset_streams(Some(16 * 1024));
        builder
    }
}
