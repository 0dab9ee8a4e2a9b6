//! A part of a value in any case.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").contains("Mid").ignore_case()));
    case.with("x-a", &["aMIDb", "mid", "mi"]);
}
