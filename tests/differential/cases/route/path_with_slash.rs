//! A slash at the end is a part of a path.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.path("/shop/"));
    case.gets(&["/shop/", "/shop", "/shop//", "/shop/?a"]);
}
