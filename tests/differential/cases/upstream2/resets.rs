//! A reset of each kind.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route);
    for reason in [
        Reason::CANCEL,
        Reason::INTERNAL_ERROR,
        Reason::PROTOCOL_ERROR,
        Reason::NO_ERROR,
        Reason::ENHANCE_YOUR_CALM,
        Reason::HTTP_1_1_REQUIRED,
    ] {
        case.ask(get("/").script("a", [Behaviour::reset(reason)]));
    }
}
