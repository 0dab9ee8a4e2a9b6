//! A test without a condition is of presence.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when_query(query("p")));
    case.gets(&["/?p", "/?p=1", "/?x=1", "/"]);
}
