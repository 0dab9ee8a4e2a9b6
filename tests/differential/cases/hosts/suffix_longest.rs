//! Of suffixes the longest one wins.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[
        ("a", &["*.com"]),
        ("b", &["*.bar.com"]),
        ("c", &["*-x.bar.com"]),
    ]);
    case.at(&[
        "foo.com",
        "foo.bar.com",
        "foo-x.bar.com",
        "-x.bar.com",
        "bar.com",
    ]);
}
