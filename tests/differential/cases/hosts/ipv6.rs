//! The colons of an IPv6 address begin no port.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["[::1]"]), ("b", &["[::1]:80"])]);
    case.at(&["[::1]", "[::1]:80", "[::1]:81"]);
}
