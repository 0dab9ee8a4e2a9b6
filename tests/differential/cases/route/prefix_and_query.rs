//! What stands behind the question mark is no part of a path.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.prefix("/a?b"));
    case.gets(&["/a?b", "/a", "/a%3Fb"]);
}
