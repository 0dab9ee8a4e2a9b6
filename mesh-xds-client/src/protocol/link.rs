//! The stream's life as seen from here: when to connect, when to wait.

use std::time::{Duration, Instant};

use mesh_core::policy::backoff::connection_delay;

/// A stream that was of use is replaced at once, but no more often than this: a server that sends
/// one message and dies must not be called in a tight loop.
const BETWEEN_IMMEDIATE: Duration = Duration::from_secs(1);

/// Where the stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It may be opened at once.
    Idle,
    /// It may be opened then.
    Waiting(Instant),
    /// It is being opened.
    Connecting,
    /// It is open.
    Live {
        /// Whether a message came.
        heard: bool,
    },
}

/// The stream and its back-off.
#[derive(Debug)]
pub(crate) struct Link {
    stage: Stage,
    failures: u32,
    last_immediate: Option<Instant>,
    random: fastrand::Rng,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// There was none.
    NotOpen,
    /// After at least one message: not an error (gRFC A57).
    Served,
    /// Before the first message: a failure of the connection (gRFC A57).
    Failed,
}

impl Link {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            stage: Stage::Idle,
            failures: 0,
            last_immediate: None,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    pub(crate) const fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Live { .. })
    }

    /// Whether the next step is to open the stream; true once.
    pub(crate) fn start(&mut self) -> bool {
        let start = self.stage == Stage::Idle;
        if start {
            self.stage = Stage::Connecting;
        }
        start
    }

    pub(crate) const fn open(&mut self) {
        self.stage = Stage::Live { heard: false };
    }

    /// A message came. False if there is no stream for it to come from.
    pub(crate) const fn hear(&mut self) -> bool {
        let live = self.is_live();
        if live {
            self.stage = Stage::Live { heard: true };
            self.failures = 0;
        }
        live
    }

    pub(crate) fn close(&mut self, now: Instant) -> Ended {
        match self.stage {
            Stage::Idle | Stage::Waiting(_) => Ended::NotOpen,
            Stage::Live { heard: true } => {
                let due = self.last_immediate.map(|last| last + BETWEEN_IMMEDIATE);
                self.stage = match due.filter(|due| *due > now) {
                    Some(due) => Stage::Waiting(due),
                    None => Stage::Idle,
                };
                self.last_immediate = Some(due.map_or(now, |due| due.max(now)));
                Ended::Served
            }
            Stage::Connecting | Stage::Live { heard: false } => {
                let delay = self.delay();
                self.failures = self.failures.saturating_add(1);
                self.stage = Stage::Waiting(now + delay);
                Ended::Failed
            }
        }
    }

    /// Forgets all that was learnt of the server.
    pub(crate) const fn reset(&mut self) {
        self.stage = Stage::Idle;
        self.failures = 0;
        self.last_immediate = None;
    }

    pub(crate) const fn timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::Waiting(until) => Some(until),
            _ => None,
        }
    }

    pub(crate) fn expire(&mut self, now: Instant) {
        if self.timeout().is_some_and(|until| until <= now) {
            self.stage = Stage::Idle;
        }
    }

    fn delay(&mut self) -> Duration {
        connection_delay(self.failures, self.random.u64(..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(link: &mut Link, now: Instant) -> f64 {
        assert!(link.start());
        assert_eq!(link.close(now), Ended::Failed);
        let until = link.timeout().expect("waits");
        link.expire(until);
        (until - now).as_secs_f64()
    }

    #[test]
    fn backoff_grows_by_1_6_within_a_fifth_up_to_two_minutes() {
        let (mut link, now) = (Link::new(1), Instant::now());
        for failures in 0..40 {
            let nominal = 1.6_f64.powi(failures).min(120.0);
            let waited = wait(&mut link, now);
            assert!(
                (nominal * 0.8..=nominal * 1.2).contains(&waited),
                "{failures}: {waited}"
            );
        }
    }

    #[test]
    fn backoff_is_reset_by_a_message_and_the_next_stream_is_immediate() {
        let (mut link, now) = (Link::new(2), Instant::now());
        for _ in 0..10 {
            wait(&mut link, now);
        }
        assert!(link.start());
        link.open();
        assert!(link.hear());
        assert_eq!(link.close(now), Ended::Served);
        assert_eq!(link.timeout(), None);
        assert!(wait(&mut link, now) <= 1.2, "starts over");
    }

    #[test]
    fn immediate_reconnects_come_no_faster_than_one_a_second() {
        let (mut link, mut now) = (Link::new(3), Instant::now());
        let begin = now;
        for _ in 0..100 {
            if let Some(until) = link.timeout() {
                now = until;
                link.expire(now);
            }
            assert!(link.start());
            link.open();
            link.hear();
            link.close(now);
        }
        assert!(now - begin >= Duration::from_secs(98), "{:?}", now - begin);
    }
}
