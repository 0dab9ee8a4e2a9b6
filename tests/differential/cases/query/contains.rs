//! A part of a value.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when_query(query("k").contains("mm")));
    case.gets(&["/?k=mm", "/?k=ammb", "/?k=m&x=mm", "/?k=m%6D"]);
}
