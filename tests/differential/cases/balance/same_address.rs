//! An address that is given twice is one.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.server("a"), case.server("b"));
    let all = case.cluster_with(
        "all",
        |full| xds::endpoints(full, &[a, b, a]),
        |cluster| cluster,
    );
    case.routes([to(&all)]);
    case.ask(get("/").times(120).by(Http1));
}
