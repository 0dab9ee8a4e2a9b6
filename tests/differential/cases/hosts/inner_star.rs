//! A star in the middle is a character.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["a.*.b"])]);
    case.at(&["a.x.b", "a.*.b", "A.*.B"]);
}
