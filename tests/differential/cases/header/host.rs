//! The host header is the authority.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("host").prefix("a.")));
    case.at(&["a.test", "b.test"]);
}
