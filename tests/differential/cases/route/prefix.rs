//! A prefix is one of characters, not of segments.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.prefix("/shop"));
    case.gets(&[
        "/shop",
        "/shop/a?b=c",
        "/shopping",
        "/Shop",
        "/",
        "/a/../shop",
        "//shop",
    ]);
    case.ask(post("/shop/order", "two of each").header("x-user", "ann"));
}
