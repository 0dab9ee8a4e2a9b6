//! The port behind an IPv6 address is cut off, and nothing of the address.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["[::1]"])]);
    case.edit_routes(|routes| routes.edit(|it| it.ignore_port_in_host_matching = true));
    case.at(&["[::1]", "[::1]:80", "[::2]:80"]);
}
