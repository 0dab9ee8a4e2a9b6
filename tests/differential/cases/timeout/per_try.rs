//! One attempt does not come in time, and there is no other.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.retry(retry("5xx", 0).per_try_timeout(ms(150))));
    case.ask(get("/").script("a", [Behaviour::delay(ms(600))]));
    case.ask(get("/").script("a", [Behaviour::delay(ms(10))]));
}
