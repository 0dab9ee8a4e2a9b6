//! All tests have to hold.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| {
        route
            .when(header("x-a").exact("1"))
            .when(header("x-b").present(true))
    });
    case.ask(get("/").header("x-a", "1").header("x-b", "2"));
    case.with("x-a", &["1", "2"]);
    case.with("x-b", &["1"]);
}
