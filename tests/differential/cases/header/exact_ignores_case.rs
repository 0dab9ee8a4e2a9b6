//! A value in any case.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").exact("Value").ignore_case()));
    case.with("x-a", &["value", "VALUE", "values"]);
}
