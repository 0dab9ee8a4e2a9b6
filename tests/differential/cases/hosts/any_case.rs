//! Domains have no case, wherever they are written so.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["UPPER.Test"]), ("b", &["lower.test"])]);
    case.at(&["upper.test", "UPPER.TEST", "Upper.Test", "LOWER.test"]);
}
