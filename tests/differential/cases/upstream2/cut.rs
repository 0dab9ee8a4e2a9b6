//! An answer that ends too early.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route);
    for reason in [
        Reason::CANCEL,
        Reason::PROTOCOL_ERROR,
        Reason::REFUSED_STREAM,
        Reason::NO_ERROR,
    ] {
        let cut = Behaviour {
            reset_after: Some(10),
            ..Behaviour::reset(reason)
        };
        case.ask(get("/").script("a", [cut]));
    }
}
