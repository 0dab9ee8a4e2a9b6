//! Of prefixes the longest one wins.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["foo.*"]), ("b", &["foo.b*"]), ("c", &["foo.bar.*"])]);
    case.at(&["foo.com", "foo.b", "foo.bc", "foo.bar", "foo.bar.com"]);
}
