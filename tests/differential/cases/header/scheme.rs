//! The scheme.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.when(header(":scheme").exact("http")));
    case.ask(get("/"));
    case.ask(get("/").header("x-forwarded-proto", "https"));
}
