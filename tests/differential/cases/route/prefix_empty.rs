//! An empty prefix takes everything.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.prefix(""));
    case.gets(&["/", "/a", "/?q"]);
}
