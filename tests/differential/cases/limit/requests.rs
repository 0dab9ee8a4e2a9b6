//! Two requests at a time.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server("a");
    let full = case.cluster_with(
        "full",
        |full| xds::endpoints(full, &[a]),
        |cluster| cluster.max_requests(2),
    );
    case.routes([to(&full)]);
    case.ask(
        get("/")
            .script("a", vec![Behaviour::delay(ms(250)); 5])
            .at_once(5),
    );
}
