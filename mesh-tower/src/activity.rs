//! What happens on a connection, or in a stream of it, as far as the clocks of its client ask.
//!
//! A clock that is set anew at each sign of life costs each request a timer. So only what happened is
//! noted here, and whoever watches looks at it now and then. The time is noted where it is known
//! anyway, or where something was waited for: what comes at once is no later than what was before it.

use std::{
    sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// See the [module](self). Its parts are atomic because they are shared, not because they are raced
/// for: a client's requests are served by one task after the other.
#[derive(Debug)]
pub(crate) struct Activity {
    start: Instant,
    phase: AtomicU8,
    // Milliseconds after the start: the first byte of the request, and the last sign of life.
    begun: AtomicU64,
    last: AtomicU64,
    // The request is still arriving.
    arriving: AtomicBool,
    late: AtomicU8,
    // How many milliseconds nothing may happen to this request, and one; 0 where that is not said.
    idle: AtomicU64,
    // It was said since somebody looked.
    news: AtomicBool,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Nothing is under way.
    Idle,
    /// A first byte came just now.
    Heard,
    /// A request's head is arriving.
    Head,
    /// A request is under way.
    Exchange,
}

/// By which of Envoy's clocks a client, or what it waits for, is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Late {
    /// `stream_idle_timeout`: nothing happens to the request.
    Stream = 1,
    /// `request_timeout`: the request is not all there.
    Request,
    /// `request_headers_timeout`: its head is not.
    Head,
    /// `idle_timeout`: there is no request.
    Connection,
}

impl Activity {
    pub(crate) const fn new(start: Instant) -> Self {
        Self {
            start,
            phase: AtomicU8::new(Phase::Idle as u8),
            begun: AtomicU64::new(0),
            last: AtomicU64::new(0),
            arriving: AtomicBool::new(false),
            late: AtomicU8::new(0),
            idle: AtomicU64::new(0),
            news: AtomicBool::new(false),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        const PHASES: [Phase; 4] = [Phase::Idle, Phase::Heard, Phase::Head, Phase::Exchange];
        PHASES[usize::from(self.phase.load(Relaxed) & 3)]
    }

    /// Bytes came. Those that are not of a request begin one.
    pub(crate) fn heard(&self) {
        if self.phase() == Phase::Idle {
            self.phase.store(Phase::Heard as u8, Relaxed);
        }
    }

    /// All that came was looked at: what has begun has begun by now.
    pub(crate) fn settle(&self, now: impl FnOnce() -> Instant) {
        if self.phase() == Phase::Heard {
            self.phase.store(Phase::Head as u8, Relaxed);
            let now = self.millis(now());
            self.begun.store(now, Relaxed);
            self.last.store(now, Relaxed);
        }
    }

    /// The head of a request is there, and perhaps not all of the request.
    pub(crate) fn begin(&self, now: Instant, arriving: bool) {
        let now = self.millis(now);
        if self.phase() != Phase::Head {
            self.begun.store(now, Relaxed);
        }
        self.phase.store(Phase::Exchange as u8, Relaxed);
        self.last.store(now, Relaxed);
        self.arriving.store(arriving, Relaxed);
        self.late.store(0, Relaxed);
        self.idle.store(0, Relaxed);
    }

    /// Its route says how long nothing may happen to the request; zero is for ever.
    pub(crate) fn limit(&self, idle: Duration) {
        let millis = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
        self.idle.store(millis.saturating_add(1), Relaxed);
        self.news.store(true, Relaxed);
    }

    /// What [`Self::limit`] said of this request.
    pub(crate) fn idle_limit(&self) -> Option<Duration> {
        let millis = self.idle.load(Relaxed).checked_sub(1)?;
        Some(Duration::from_millis(millis))
    }

    /// Whether a limit was said since this was asked last.
    pub(crate) fn has_news(&self) -> bool {
        self.news.load(Relaxed) && self.news.swap(false, Relaxed)
    }

    /// A part of the request or of its answer has passed.
    pub(crate) fn touch(&self, now: Instant) {
        self.last.store(self.millis(now), Relaxed);
    }

    /// All of the request is there.
    pub(crate) fn arrived(&self) {
        self.arriving.store(false, Relaxed);
    }

    /// The answer has been passed on, or will not be.
    pub(crate) fn end(&self) {
        self.phase.store(Phase::Idle as u8, Relaxed);
    }

    pub(crate) fn is_arriving(&self) -> bool {
        self.arriving.load(Relaxed)
    }

    /// When its request began, and when something happened last.
    pub(crate) fn times(&self) -> (Instant, Instant) {
        let at = |millis: &AtomicU64| self.start + Duration::from_millis(millis.load(Relaxed));
        (at(&self.begun), at(&self.last))
    }

    /// Tells whoever answers the request that it is late.
    pub(crate) fn tell(&self, late: Late) {
        self.late.store(late as u8, Relaxed);
    }

    /// By what the request is late, if it is.
    pub(crate) fn late(&self) -> Option<Late> {
        match self.late.load(Relaxed) {
            0 => None,
            2 => Some(Late::Request),
            _ => Some(Late::Stream),
        }
    }

    fn millis(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_millis() as u64
    }
}
