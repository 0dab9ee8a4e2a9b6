//! Two connections, and the others wait.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server("a");
    let full = case.cluster_with(
        "full",
        |full| xds::endpoints(full, &[a]),
        |cluster| cluster.max_connections(2),
    );
    case.routes([to(&full)]);
    case.ask(
        get("/")
            .script("a", vec![Behaviour::delay(ms(100)); 5])
            .at_once(5),
    );
}
