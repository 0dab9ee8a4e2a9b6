//! The field `exact_match`, which another has replaced.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").old(Old::ExactMatch("v".to_owned()))));
    case.with("x-a", &["v", "V", "vv", ""]);
}
