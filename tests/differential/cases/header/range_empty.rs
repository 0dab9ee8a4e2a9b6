//! A range of nothing.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").range(5, 5)));
    case.with("x-a", &["4", "5", "6"]);
}
