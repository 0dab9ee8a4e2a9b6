//! Two filters under two names.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| {
        let late = fault().delay(ms(50), 100.0).build();
        listener
            .fault(fault().abort_http(503, 0.0))
            .filter("late", &late)
    });
    let a = case.backend("a");
    let aborted = fault().abort_http(418, 100.0).build();
    case.routes([to(&a).prefix("/late").filter("late", &aborted), to(&a)]);
    case.gets(&["/", "/late"]);
}
