//! Names of clusters have a case, names of headers none.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.backend("a");
    case.routes([by_cluster_header("X-Cluster")]);
    case.host(&["known.test"], [to(&a)]);
    case.ask(get("/").header("x-cluster", &a));
    case.ask(get("/").header("x-cluster", &a.to_uppercase()));
}
