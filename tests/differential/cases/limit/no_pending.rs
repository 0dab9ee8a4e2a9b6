//! Nobody may wait for a connection.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server("a");
    let full = case.cluster_with(
        "full",
        |full| xds::endpoints(full, &[a]),
        |it| it.max_pending(0),
    );
    case.routes([to(&full)]);
    case.gets(&["/"]);
}
