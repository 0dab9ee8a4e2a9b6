//! First a wait, then the failure.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| {
        listener.fault(fault().delay(ms(100), 100.0).abort_http(500, 100.0))
    });
    case.one(|route| route);

    case.ask(get("/"));
    case.ask(get("/a/b").grpc());
}
