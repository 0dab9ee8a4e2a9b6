//! The answer does not come in time.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.timeout(ms(150)));
    case.ask(get("/").script("a", [Behaviour::delay(ms(600))]));
    case.ask(get("/").script("a", [Behaviour::delay(ms(10))]));
    case.ask(post("/", "text").script("a", [Behaviour::delay(ms(600))]));
}
