//! The last of a thousand routes.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.backend("a"), case.backend("b"));
    let routes = (0..1000).map(|number| to(&a).path(&format!("/a{number}")));
    case.routes(routes.chain([to(&b).prefix("/a999")]));
    case.gets(&["/a0", "/a998", "/a999", "/a9991", "/a1000"]);
}
