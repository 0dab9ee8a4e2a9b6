//! A limit of each attempt above that of all.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| {
        route
            .timeout(ms(150))
            .retry(retry("5xx", 1).per_try_timeout(ms(5000)))
    });
    case.ask(get("/").script("a", [Behaviour::delay(ms(600))]));
    case.ask(get("/"));
}
