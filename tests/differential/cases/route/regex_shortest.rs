//! All has to match, where less would do.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.regex("/a|/ab|/a.*?c"));
    case.gets(&["/a", "/ab", "/axc", "/axcxc", "/axcx"]);
}
