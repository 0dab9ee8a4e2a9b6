//! Alternatives of a whole value.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").regex("a|ab|b.*")));
    case.with("x-a", &["a", "ab", "abc", "b", "bcd", "cb"]);
}
