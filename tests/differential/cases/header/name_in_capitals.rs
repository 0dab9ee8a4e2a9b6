//! Names have no case, wherever they are written so.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("X-A").exact("v")));
    case.with("x-a", &["v", "w"]);
}
