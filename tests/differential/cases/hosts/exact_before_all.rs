//! An exact domain wins over all others, wherever it stands.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[
        ("star", &["*"]),
        ("prefix", &["foo.*"]),
        ("suffix", &["*.test"]),
        ("exact", &["foo.test"]),
    ]);
    case.at(&["foo.test", "bar.test", "foo.com", "bar.com"]);
}
