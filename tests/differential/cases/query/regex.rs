//! A regular expression has to match the whole value.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when_query(query("k").regex("[0-9]+")));
    case.gets(&["/?k=1", "/?k=123", "/?k=1a", "/?k=", "/?k"]);
}
