//! A suffix may end in a port.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["*.test:80"]), ("b", &["*.test"])]);
    case.at(&["a.test:80", "a.test", "a.test:8080", "a.test:180"]);
}
