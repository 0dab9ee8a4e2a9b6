//! A missing header that is to be there.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").present(true).or_empty()));
    case.with("x-a", &["v", ""]);
}
