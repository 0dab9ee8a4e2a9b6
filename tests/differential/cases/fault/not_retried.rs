//! A failure that was injected is not retried.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(fault().abort_http(503, 100.0)));
    case.one(|route| route.retry(retry("5xx", 2).backoff(ms(1), ms(2))));
    case.gets(&["/"]);
}
