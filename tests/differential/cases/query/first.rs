//! Only the first of several values counts.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when_query(query("k").exact("v")));
    case.gets(&["/?k=v&k=w", "/?k=w&k=v", "/?k&k=v", "/?k=&k=v"]);
}
