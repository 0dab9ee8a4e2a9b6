//! Ten retries.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.retry(retry("5xx", 10).backoff(ms(1), ms(2))));
    case.ask(get("/").script("a", vec![Behaviour::status(503); 10]));
    case.ask(get("/").script("a", vec![Behaviour::status(503); 11]));
}
