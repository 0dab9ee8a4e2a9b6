//! A regular expression of nothing takes no path.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.regex("()"));
    case.gets(&["/", "/a"]);
}
