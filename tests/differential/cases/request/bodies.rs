//! Bodies of any size.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    for body in ["", "a", &"x".repeat(20_000), &"x".repeat(2_000_000)] {
        case.ask(post("/", body));
        case.ask(post("/", body).chunked());
    }
}
