//! A wait that was injected comes once.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(fault().delay(ms(60), 100.0)));
    case.one(|route| route.retry(retry("5xx", 2).backoff(ms(1), ms(2))));
    case.ask(get("/").script("a", [Behaviour::status(503)]));
    case.ask(get("/").script("a", vec![Behaviour::status(503); 3]));
}
