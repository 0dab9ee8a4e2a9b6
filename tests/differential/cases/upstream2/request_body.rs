//! A body over HTTP/2, with and without its length.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route);
    for body in ["", "a", &"x".repeat(300_000)] {
        case.ask(post("/", body));
        case.ask(post("/", body).chunked());
    }
}
