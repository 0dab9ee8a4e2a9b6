//! The path as a header has its query.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header(":path").exact("/p?q=1")));
    case.gets(&["/p?q=1", "/p", "/p?q=12"]);
}
