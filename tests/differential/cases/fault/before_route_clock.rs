//! A wait is no part of the route's timeout.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(fault().delay(ms(300), 100.0)));
    case.one(|route| route.timeout(ms(150)));
    case.gets(&["/"]);
    case.ask(get("/").script("a", [Behaviour::delay(ms(600))]));
}
