//! Log lines that a control plane could make any number of.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::{Duration, Instant},
};

/// The same text is said again only after this long.
const SAME: Duration = Duration::from_secs(60);
/// Another text is said only after this long.
const OTHER: Duration = Duration::from_secs(1);

/// What was said last of one matter.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    said: Option<(u64, Instant)>,
    unsaid: u64,
}

impl Repeats {
    /// Whether `text` is to be said now: how many lines were left out before it. `None` if it is
    /// left out as well.
    pub(super) fn say(&mut self, text: &str, now: Instant) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let text = hasher.finish();
        if let Some((said, at)) = self.said {
            let wait = if said == text { SAME } else { OTHER };
            if now.saturating_duration_since(at) < wait {
                self.unsaid += 1;
                return None;
            }
        }
        self.said = Some((text, now));
        Some(std::mem::take(&mut self.unsaid))
    }

    /// The matter is settled: what comes next is news.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_a_minute_and_anything_once_a_second() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut repeats = Repeats::default();
        assert_eq!(repeats.say("a", at(0)), Some(0));
        assert_eq!(repeats.say("a", at(59_999)), None);
        assert_eq!(repeats.say("a", at(60_000)), Some(1));
        assert_eq!(repeats.say("b", at(60_500)), None);
        assert_eq!(repeats.say("a", at(60_600)), None);
        assert_eq!(repeats.say("b", at(61_000)), Some(2));
        repeats.forget();
        assert_eq!(repeats.say("b", at(61_001)), Some(0));
    }
}
