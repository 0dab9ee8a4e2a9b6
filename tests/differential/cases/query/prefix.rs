//! The beginning of a value.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when_query(query("k").prefix("ab")));
    case.gets(&["/?k=ab", "/?k=abc", "/?k=a", "/?k=xab", "/?k=AB"]);
}
