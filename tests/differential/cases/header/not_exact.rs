//! Any other value, but some.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").exact("v").invert()));
    case.with("x-a", &["v", "w", "", "V"]);
}
