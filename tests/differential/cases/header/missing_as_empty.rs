//! A missing header as an empty one.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").exact("").or_empty()));
    case.with("x-a", &["v", ""]);
}
