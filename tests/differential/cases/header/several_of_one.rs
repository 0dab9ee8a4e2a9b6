//! Two tests of one header may hold of two lines.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| {
        route
            .when(header("x-a").prefix("a"))
            .when(header("x-a").suffix("z"))
    });
    case.with("x-a", &["az", "a", "z"]);
    case.ask(get("/").header("x-a", "a").header("x-a", "z"));
}
