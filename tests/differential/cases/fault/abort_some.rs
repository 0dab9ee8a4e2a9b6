//! Some are failed.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(fault().abort_http(418, 30.0)));
    case.one(|route| route);
    case.ask(get("/").times(200).by(Http1));
}
