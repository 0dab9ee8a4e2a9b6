//! Methods are no part of a route unless it says so.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.prefix("/a"));
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD", "TRACE"] {
        case.ask(get("/a").method(method));
    }
    case.ask(post("/a", "text"));
}
