//! Long paths.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| route.prefix("/aaaa"));
    for length in [1000, 8000, 30_000] {
        case.ask(get(&format!("/{}", "a".repeat(length))));
        case.ask(get(&format!("/?{}", "q".repeat(length))));
    }
}
