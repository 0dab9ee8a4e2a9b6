//! A retry may end otherwise than what led to it.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route.retry(retry("5xx", 1).backoff(ms(1), ms(2))));
    let (reset, error) = (Behaviour::reset(Reason::CANCEL), Behaviour::status(503));
    case.ask(get("/").script("a", [reset.clone(), error.clone()]));
    case.ask(get("/").script("a", [error, reset.clone()]));
    case.ask(get("/").script("a", [reset, Behaviour::status(404)]));
}
