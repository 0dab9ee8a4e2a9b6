//! A number in any line.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").range(1, 5)));
    case.ask(get("/").header("x-a", "9").header("x-a", "3"));
    case.ask(get("/").header("x-a", "9").header("x-a", "8"));
    case.ask(get("/").header("x-a", "9,3"));
}
