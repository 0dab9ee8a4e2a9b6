//! A prefix of whole segments.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.path_prefix("/shop"));
    case.gets(&[
        "/shop",
        "/shop/",
        "/shop/a",
        "/shopping",
        "/shop?a",
        "/Shop",
        "/shop-a",
        "/a/shop",
    ]);
}
