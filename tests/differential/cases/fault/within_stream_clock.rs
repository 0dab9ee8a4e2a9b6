//! A wait is a part of the whole exchange.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.fault(fault().delay(ms(600), 100.0)));
    case.one(|route| route.max_stream_duration(ms(150)));
    case.gets(&["/"]);
}
