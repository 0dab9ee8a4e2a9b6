//! Anchors change nothing.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.regex("^/a.*b$"));
    case.gets(&["/ab", "/axxb", "/abx", "/a/b?x"]);
}
