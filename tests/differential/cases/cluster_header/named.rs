//! A header names the cluster.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.backend("a"), case.backend("b"));
    case.routes([by_cluster_header("x-cluster")]);
    case.host(&["known.test"], [to(&a), to(&b)]);
    for name in [&a, &b, "missing", ""] {
        case.ask(get("/").header("x-cluster", name));
    }
    case.ask(get("/"));
}
