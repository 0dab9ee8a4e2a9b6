//! Retries on 5xx until they are exhausted.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.retry(retry("5xx", 2)));
    case.ask(get("/once").script("a", [Behaviour::status(503)]));
    case.ask(get("/twice").script("a", [Behaviour::status(500), Behaviour::status(502)]));
    case.ask(post("/more", "body").script("a", vec![Behaviour::status(503); 3]));
    case.ask(get("/other").script("a", [Behaviour::status(404)]));
}
