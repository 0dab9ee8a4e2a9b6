//! A test without a condition is of presence.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a")));
    case.with("x-a", &["v", ""]);
}
