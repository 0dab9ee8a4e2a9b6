//! The end of a value.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when_query(query("k").suffix("yz")));
    case.gets(&["/?k=yz", "/?k=xyz", "/?k=yzx", "/?k=z"]);
}
