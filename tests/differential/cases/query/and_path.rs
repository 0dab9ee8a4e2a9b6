//! The path is compared without the query that is tested.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.path("/shop").when_query(query("k").exact("v")));
    case.gets(&["/shop?k=v", "/shop?k=w", "/shop/?k=v", "/shop"]);
}
