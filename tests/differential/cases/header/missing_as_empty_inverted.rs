//! A missing header as one of another value.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").exact("v").or_empty().invert()));
    case.with("x-a", &["v", "w", ""]);
}
