//! A whole path.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.path("/shop"));
    case.gets(&[
        "/shop",
        "/shop?a=b",
        "/shop/",
        "/shop/a",
        "/Shop",
        "/shop?",
        "/shops",
        "/sho",
    ]);
}
