//! One may wait for the only connection.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server("a");
    let full = case.cluster_with(
        "full",
        |full| xds::endpoints(full, &[a]),
        |it| it.max_connections(1).max_pending(1),
    );
    case.routes([to(&full)]);
    case.gets(&["/"]);
    case.ask(
        get("/")
            .script("a", vec![Behaviour::delay(ms(250)); 4])
            .at_once(4),
    );
}
