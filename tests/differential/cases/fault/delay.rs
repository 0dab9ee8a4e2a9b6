//! Every request waits.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(fault().delay(ms(150), 100.0)));
    case.one(|route| route);

    case.ask(get("/"));
    case.ask(post("/", "text"));
}
