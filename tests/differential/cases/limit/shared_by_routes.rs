//! A limit is the cluster's, whatever leads to it.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server("a");
    let full = case.cluster_with(
        "full",
        |full| xds::endpoints(full, &[a]),
        |it| it.max_requests(1),
    );
    case.routes([to(&full).prefix("/1"), to(&full)]);
    case.ask(
        get("/1")
            .script("a", vec![Behaviour::delay(ms(250)); 3])
            .at_once(3),
    );
    case.gets(&["/1", "/2"]);
}
