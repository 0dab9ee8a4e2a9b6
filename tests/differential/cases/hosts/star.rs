//! A star alone takes what is left.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["a.test"]), ("rest", &["*"])]);
    case.at(&["a.test", "b.test", "a.test:80", "127.0.0.1"]);
}
