//! No fault may be active.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(fault().abort_http(418, 100.0).max_active(0)));
    case.one(|route| route);
    case.gets(&["/"]);
}
