//! A port belongs to the domain.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["a.test"]), ("b", &["a.test:8080"])]);
    case.at(&["a.test", "a.test:8080", "a.test:9999", "a.test:80"]);
}
