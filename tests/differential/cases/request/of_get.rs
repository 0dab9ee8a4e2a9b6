//! A body where none is expected.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    for method in ["GET", "DELETE", "OPTIONS", "TRACE"] {
        case.ask(post("/", "text").method(method));
    }
}
