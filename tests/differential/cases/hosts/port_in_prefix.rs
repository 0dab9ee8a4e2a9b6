//! A prefix may leave only the port open.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["a.test:*"])]);
    case.at(&["a.test:80", "a.test", "a.test:"]);
}
