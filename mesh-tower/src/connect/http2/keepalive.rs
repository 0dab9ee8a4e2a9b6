//! PINGs that find a dead peer.
//!
//! Envoy `connection_keepalive`: a PING each interval, and the connection closes if one is not
//! answered within the timeout. Unless told otherwise, only while streams are open, as gRPC A8.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::time::{Instant, Sleep, sleep};

use super::config::Http2Settings;

pub(super) struct Keepalive {
    pings: PingPong,
    interval: Duration,
    timeout: Duration,
    while_idle: bool,
    timer: Pin<Box<Sleep>>,
    awaiting_pong: bool,
}

impl Keepalive {
    pub(super) fn new(pings: PingPong, interval: Duration, settings: &Http2Settings) -> Self {
        // An interval of zero would spin.
        let interval = interval.max(Duration::from_millis(1));
        Self {
            pings,
            interval,
            timeout: settings.keepalive_timeout,
            while_idle: settings.keepalive_while_idle,
            timer: Box::pin(sleep(interval)),
            awaiting_pong: false,
        }
    }

    /// Ready when a PING stayed unanswered for too long.
    pub(super) fn poll_timeout(&mut self, cx: &mut Context<'_>, in_flight: usize) -> Poll<()> {
        loop {
            if self.awaiting_pong {
                match self.pings.poll_pong(cx) {
                    Poll::Ready(Ok(_)) => {
                        self.awaiting_pong = false;
                        self.arm(self.interval);
                    }
                    // The connection is ending; its own poll says how.
                    Poll::Ready(Err(_)) => return Poll::Pending,
                    Poll::Pending => {}
                }
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if self.awaiting_pong {
                return Poll::Ready(());
            }
            if in_flight == 0 && !self.while_idle {
                self.arm(self.interval);
            } else if self.pings.send_ping(Ping::opaque()).is_ok() {
                self.awaiting_pong = true;
                self.arm(self.timeout);
            } else {
                return Poll::Pending;
            }
        }
    }

    fn arm(&mut self, after: Duration) {
        self.timer.as_mut().reset(Instant::now() + after);
    }
}
