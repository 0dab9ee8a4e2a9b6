//! Spaces around a value are no part of it.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").exact("a  b")));
    case.with("x-a", &["a  b", "a b"]);
}
