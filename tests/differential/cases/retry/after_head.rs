//! Once the answer has begun it is too late.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route.retry(retry("5xx,reset", 1).backoff(ms(1), ms(2))));
    let broken = Behaviour {
        reset_after: Some(3),
        ..Behaviour::reset(Reason::INTERNAL_ERROR)
    };
    case.ask(get("/").script("a", [broken]));
}
