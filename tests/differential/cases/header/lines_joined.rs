//! Lines are not joined.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header("x-a").exact("a,b")));
    case.ask(get("/").header("x-a", "a").header("x-a", "b"));
    case.ask(get("/").header("x-a", "b").header("x-a", "a"));
    case.ask(get("/").header("x-a", "b").header("x-a", "c"));
    case.ask(get("/").header("x-a", "a,b"));
    case.ask(get("/").header("x-a", "a, b"));
}
