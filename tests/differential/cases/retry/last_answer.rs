//! The last answer passes, with all that it says.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.retry(retry("5xx", 1).backoff(ms(1), ms(2))));
    case.ask(get("/").script(
        "a",
        [
            Behaviour::status(503).with_header("x-try", "1"),
            Behaviour::status(500).with_header("x-try", "2"),
        ],
    ));
    case.ask(get("/").script(
        "a",
        [
            Behaviour::status(503).with_header("x-try", "1"),
            Behaviour::status(404).with_header("x-try", "2"),
        ],
    ));
}
