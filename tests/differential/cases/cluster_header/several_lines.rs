//! The first of several lines counts.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.backend("a"), case.backend("b"));
    case.routes([by_cluster_header("x-cluster")]);
    case.host(&["known.test"], [to(&a), to(&b)]);
    case.ask(get("/").header("x-cluster", &a).header("x-cluster", &b));
    case.ask(
        get("/")
            .header("x-cluster", "missing")
            .header("x-cluster", &b),
    );
    case.ask(get("/").header("x-cluster", &format!("{a},{b}")));
}
