//! Connections that end as soon as they are made.

use std::time::{Duration, Instant};

/// A connection that lived at least this long was a success.
const BRIEF: Duration = Duration::from_secs(1);

/// So many in a row are borne.
const BORNE: u32 = 4;

/// Counts connections in a row that their peer ended at once, before they carried a request: a
/// backend that accepts and dies, or sheds load.
///
/// A few may be a restart and are made again at once. Those that follow count as attempts that
/// failed, so that the endpoint's back-off paces them: an endpoint may be connected to whether or not
/// there are requests, and would be so in a tight loop.
#[derive(Debug, Default)]
pub(super) struct BriefLives(u32);

impl BriefLives {
    /// A connection made at `made` has ended. Gives whether that counts as a failure.
    pub(super) fn ended(&mut self, made: Instant, now: Instant, was_of_use: bool) -> bool {
        if was_of_use || now.saturating_duration_since(made) >= BRIEF {
            self.0 = 0;
        } else {
            self.0 = self.0.saturating_add(1);
        }
        self.0 > BORNE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brief_lives_in_a_row_are_failures_in_the_end() {
        let (mut lives, made) = (BriefLives::default(), Instant::now());
        for _ in 0..BORNE {
            assert!(!lives.ended(made, made, false));
        }
        assert!(lives.ended(made, made, false));
        assert!(lives.ended(made, made + BRIEF / 2, false));
        for (end, of_use) in [(made, true), (made + BRIEF, false)] {
            assert!(!lives.ended(made, end, of_use));
            for _ in 0..BORNE {
                assert!(!lives.ended(made, made, false));
            }
            assert!(lives.ended(made, made, false));
        }
    }
}
