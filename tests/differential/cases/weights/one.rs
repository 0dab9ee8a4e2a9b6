//! One cluster with all the weight.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.backend("a");
    case.routes([split(&[(&a, 7)])]);
    case.gets(&["/"]);
}
