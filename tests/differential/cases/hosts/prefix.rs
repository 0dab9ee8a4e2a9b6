//! A star at the end takes at least one character.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hosts(&[("a", &["p.*"])]);
    case.at(&["p.a", "p.", "p.a.b", "xp.a", "P.a", "p.a:80"]);
}
