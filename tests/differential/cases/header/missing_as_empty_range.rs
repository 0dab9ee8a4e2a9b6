//! A missing header is no number.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").range(0, 5).or_empty()));
    case.with("x-a", &["1", "7", ""]);
}
