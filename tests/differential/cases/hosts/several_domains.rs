//! A host of several domains.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[
        ("a", &["a.test", "*.a.test", "a.*"]),
        ("b", &["b.test", "a.com"]),
    ]);
    case.at(&["a.test", "x.a.test", "a.org", "a.com", "b.test"]);
}
