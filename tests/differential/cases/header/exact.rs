//! A header of one value.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").exact("v")));
    case.with("x-a", &["v", "V", "vv", "v,v", "v, w", ""]);
}
