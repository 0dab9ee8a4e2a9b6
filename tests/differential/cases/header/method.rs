//! The method.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header(":method").exact("POST")));
    case.ask(get("/"));
    case.ask(post("/", "text"));
    case.ask(get("/").method("HEAD"));
}
