//! A number from the first up to, and without, the last.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").range(2, 5)));
    case.with("x-a", &["1", "2", "4", "5", "-2", "3.0", "abc", ""]);
}
