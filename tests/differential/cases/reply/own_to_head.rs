//! The proxy's own answers to HEAD.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let empty = case.cluster_with("empty", xds::no_endpoints, |cluster| cluster);
    let missing = case.full("missing");
    case.routes([to(&empty).prefix("/empty"), to(&missing)]);
    case.ask(get("/empty").method("HEAD"));
    case.ask(get("/missing").method("HEAD").by(Http2));
}
