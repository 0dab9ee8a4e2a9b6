//! Statuses without their word mean nothing.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.retry(retry("5xx", 1).statuses(&[404]).backoff(ms(1), ms(2))));
    case.ask(get("/").script("a", [Behaviour::status(404)]));
}
