//! The same over HTTP/2 to the service.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route.timeout(ms(150)));
    case.ask(get("/").script("a", [Behaviour::delay(ms(600))]));
    case.ask(get("/").script("a", [Behaviour::delay(ms(10))]));
}
