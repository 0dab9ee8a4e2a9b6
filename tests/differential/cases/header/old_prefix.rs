//! The field `prefix_match`, which another has replaced.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").old(Old::PrefixMatch("ab".to_owned()))));
    case.with("x-a", &["ab", "abc", "xab"]);
}
