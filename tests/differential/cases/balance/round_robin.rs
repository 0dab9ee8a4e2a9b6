//! In turn.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.server("a"), case.server("b"));
    let endpoints = |full: &str| xds::endpoints(full, &[a, b]);
    let all = case.cluster_with("all", endpoints, |cluster| cluster);
    case.routes([to(&all)]);
    case.ask(get("/").times(40).by(Http1));
}
