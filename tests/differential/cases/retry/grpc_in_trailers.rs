//! A status behind a body comes too late.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route.retry(retry("unavailable", 1).backoff(ms(1), ms(2))));
    let ended = Behaviour::default().with_trailer("grpc-status", "14");
    case.ask(get("/a/b").grpc().script("a", [ended]));
}
