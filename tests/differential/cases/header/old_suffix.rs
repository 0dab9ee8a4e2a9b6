//! The field `suffix_match`, which another has replaced.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").old(Old::SuffixMatch("yz".to_owned()))));
    case.with("x-a", &["yz", "xyz", "yzx"]);
}
