//! The beginning of a value.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").prefix("ab")));
    case.with("x-a", &["ab", "abc", "a", "xab", "AB"]);
}
