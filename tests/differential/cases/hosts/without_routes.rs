//! A host without routes takes its requests, and has no answer.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let rest = case.backend("rest");
    case.host(&["shop.test"], []);
    case.host(&["*"], [to(&rest)]);
    case.at(&["shop.test", "other.test"]);
}
