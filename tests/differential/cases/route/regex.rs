//! A regular expression has to match the whole path.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.regex("/a[0-9]+"));
    case.gets(&["/a1", "/a123", "/a", "/a1b", "/x/a1", "/a1?b", "/a1/"]);
}
