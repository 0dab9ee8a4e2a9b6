//! Connections that end as soon as they are made.

use std::time::{Duration, Instant};

/// A connection that lived at least this long was a success.
const BRIEF: Duration = Duration::from_secs(1);

/// Counts connections in a row that their peer ended at once, before they carried a request: a
/// backend that accepts and dies, or sheds load.
///
/// One may be a restart and is made again at once. From the second on they count as attempts that
/// failed, so that the endpoint's back-off paces them: it is connected to whether or not there are
/// requests, and would be so in a tight loop.
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
        self.0 > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_brief_life_in_a_row_is_a_failure() {
        let (mut lives, made) = (BriefLives::default(), Instant::now());
        assert!(!lives.ended(made, made, false));
        assert!(lives.ended(made, made, false));
        assert!(lives.ended(made, made + BRIEF / 2, false));
        assert!(!lives.ended(made, made, true));
        assert!(!lives.ended(made, made, false));
        assert!(!lives.ended(made, made + BRIEF, false));
        assert!(!lives.ended(made, made, false));
    }
}
