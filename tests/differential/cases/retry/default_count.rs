//! One retry unless told.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| {
        let policy = retry("5xx", 9)
            .backoff(ms(1), ms(2))
            .edit(|policy| policy.num_retries = None);
        route.retry(policy)
    });
    case.ask(get("/").script("a", [Behaviour::status(503)]));
    case.ask(get("/").script("a", vec![Behaviour::status(503); 2]));
}
