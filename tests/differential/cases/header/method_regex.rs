//! One of several methods.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header(":method").regex("GET|HEAD")));
    case.ask(get("/"));
    case.ask(get("/").method("HEAD"));
    case.ask(get("/").method("DELETE"));
}
