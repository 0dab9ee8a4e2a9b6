//! A dot at the end is a part of the name.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["a.test"]), ("b", &["b.test."])]);
    case.at(&["a.test.", "b.test.", "b.test"]);
}
