//! A part of a value.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").contains("mm")));
    case.with("x-a", &["mm", "ammb", "m", "m m"]);
}
