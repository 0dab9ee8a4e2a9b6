//! The authority as a header has its port and its case.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header(":authority").exact("a.test:80")));
    case.at(&["a.test:80", "a.test", "A.test:80"]);
}
