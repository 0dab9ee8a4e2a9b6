//! Two requests at a time over HTTP/2.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server2("a");
    let full = case.cluster_with(
        "full",
        |full| xds::endpoints(full, &[a]),
        |cluster| cluster.http2().max_requests(2),
    );
    case.routes([to(&full)]);
    case.ask(
        get("/")
            .script("a", vec![Behaviour::delay(ms(250)); 5])
            .at_once(5),
    );
}
