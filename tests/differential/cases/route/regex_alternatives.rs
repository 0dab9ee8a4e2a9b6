//! Alternatives are all of the whole path.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.regex("/a|/bc"));
    case.gets(&["/a", "/bc", "/b", "/abc", "/ac"]);
}
