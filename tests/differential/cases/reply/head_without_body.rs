//! A bodiless answer of the proxy's own to HEAD.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let missing = case.full("missing");
    case.routes([to(&missing)]);
    case.ask(get("/").method("HEAD").by(Http1));
}
