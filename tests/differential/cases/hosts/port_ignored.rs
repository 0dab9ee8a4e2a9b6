//! The port is cut off before domains are compared.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["a.test"]), ("b", &["*.b.test"])]);
    case.edit_routes(|routes| routes.edit(|it| it.ignore_port_in_host_matching = true));
    case.at(&[
        "a.test:80",
        "a.test",
        "A.test:8080",
        "x.b.test:1",
        "c.test:80",
        "a.test:x",
    ]);
}
