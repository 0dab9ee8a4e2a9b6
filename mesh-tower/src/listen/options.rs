//! What a listener allows its clients.

use std::time::Duration;

/// The limits of a listener. The defaults are Envoy's where Envoy has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenOptions {
    /// Whether other listeners may have the same address, each with a queue of its own among which
    /// the kernel spreads connections (`SO_REUSEPORT`). Default: no.
    pub share_port: bool,
    /// How many connections are open at a time; further ones wait in the kernel's queue. Default:
    /// 50,000.
    pub max_connections: usize,
    /// How many bytes a request's line and headers may have together. Default: 60 KiB.
    pub max_header_bytes: usize,
    /// How many headers a request over HTTP/1.1 may have. Default: 100.
    pub max_headers: usize,
    /// How many requests a client may have under way on one HTTP/2 connection. Default: 1,024.
    pub max_concurrent_streams: u32,
    /// How long an HTTP/1.1 connection may be without a request. Default: one hour.
    pub idle_timeout: Duration,
    /// How long nothing may happen to a request over HTTP/1.1: from its first byte on its head has
    /// this long to be complete, and each part of its body, and of its answer, to come after the one
    /// before. Default: 5 minutes. `None`: for ever.
    pub stream_idle_timeout: Option<Duration>,
    /// How long the head of a request over HTTP/1.1 may take, from its first byte on. Default: as
    /// long as it likes.
    pub request_headers_timeout: Option<Duration>,
    /// The same of all of a request, its body included. Default: as long as it likes.
    pub request_timeout: Option<Duration>,
    /// How long a client may take to say which protocol it speaks, once it has begun. Default: 15 s.
    pub preface_timeout: Duration,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self {
            share_port: false,
            max_connections: 50_000,
            max_header_bytes: 60 << 10,
            max_headers: 100,
            max_concurrent_streams: 1_024,
            idle_timeout: Duration::from_secs(3_600),
            stream_idle_timeout: Some(Duration::from_secs(300)),
            request_headers_timeout: None,
            request_timeout: None,
            preface_timeout: Duration::from_secs(15),
        }
    }
}
