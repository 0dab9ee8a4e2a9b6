//! Exact domains.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["a.test"]), ("b", &["b.test"])]);
    case.at(&["a.test", "b.test", "c.test", "xa.test", "a.test.x"]);
}
