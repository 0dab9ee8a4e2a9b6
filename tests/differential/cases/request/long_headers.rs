//! Long header lines.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    for length in [4000, 16_000, 40_000] {
        case.ask(get("/").header("x-a", &"b".repeat(length)));
    }
}
