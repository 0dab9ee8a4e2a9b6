//! Fewer requests than connections.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server("a");
    let full = case.cluster_with(
        "full",
        |full| xds::endpoints(full, &[a]),
        |cluster| cluster.max_connections(3).max_requests(1),
    );
    case.routes([to(&full)]);
    case.ask(
        get("/")
            .script("a", vec![Behaviour::delay(ms(250)); 3])
            .at_once(3),
    );
}
