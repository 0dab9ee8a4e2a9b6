//! Any header of a request will do.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.backend("a");
    case.routes([by_cluster_header("user-agent")]);
    case.host(&["known.test"], [to(&a)]);
    case.ask(get("/").header("user-agent", &a));
}
