//! The end of a value.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").suffix("yz")));
    case.with("x-a", &["yz", "xyz", "yzx", "z"]);
}
