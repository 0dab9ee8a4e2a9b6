//! Bodies of any size.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route);
    for size in [0, 1, 16_384, 70_000, 1_000_000] {
        let sized = Behaviour {
            body_size: Some(size),
            ..Behaviour::default()
        };
        case.ask(get("/").script("a", [sized]));
    }
}
