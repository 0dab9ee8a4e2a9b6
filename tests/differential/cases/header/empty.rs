//! An empty value is a value.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").exact("")));
    case.with("x-a", &["", "v"]);
}
