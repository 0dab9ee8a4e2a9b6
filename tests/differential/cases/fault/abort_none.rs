//! None is failed.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| {
        listener.fault(fault().abort_http(418, 0.0).delay(ms(5000), 0.0))
    });
    case.one(|route| route);
    case.ask(get("/").times(20).by(Http1));
}
