//! Numbers outside, and what is none.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").range(2, 5).invert()));
    case.with("x-a", &["1", "3", "5", "abc"]);
}
