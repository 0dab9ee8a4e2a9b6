//! A bodiless answer of the proxy's own to HEAD.

use mesh_testkit::xds::to;

use crate::{Case, get, Protocol};

pub(crate) fn build(case: &mut Case) {
    let missing = case.full("missing");
    case.routes([to(&missing).prefix("/")]);
    case.ask(get("/").method("HEAD").by(Protocol::Http1));
}
