//! A leading star takes at least one character, and as many labels as there are.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["*.w.test"])]);
    case.at(&[
        "x.w.test",
        ".w.test",
        "w.test",
        "x.y.w.test",
        "xw.test",
        "x.W.test",
    ]);
}
