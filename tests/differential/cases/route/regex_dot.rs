//! A dot is any character of a path.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.regex("/a.b"));
    case.gets(&["/a/b", "/a.b", "/axb", "/ab", "/a%20b"]);
}
