//! No retry where none is allowed.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.retry(retry("5xx", 0)));
    case.ask(get("/").script("a", [Behaviour::status(503)]));
}
