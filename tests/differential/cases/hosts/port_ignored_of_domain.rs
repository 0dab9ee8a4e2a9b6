//! A domain with a port is never met once ports are cut off.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["a.test:80"]), ("b", &["a.test"])]);
    case.edit_routes(|routes| routes.edit(|it| it.ignore_port_in_host_matching = true));
    case.at(&["a.test:80", "a.test"]);
}
