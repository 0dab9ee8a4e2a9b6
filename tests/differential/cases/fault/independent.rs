//! Waits and failures are independent.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(fault().delay(ms(1), 50.0).abort_http(500, 50.0)));
    case.one(|route| route);
    case.ask(get("/").times(200).by(Http1));
}
