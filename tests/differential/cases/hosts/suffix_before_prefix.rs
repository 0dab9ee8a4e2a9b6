//! A suffix wins over a prefix, however short.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["foo.bar.*"]), ("b", &["*t"])]);
    case.at(&["foo.bar.test", "foo.bar.com"]);
}
