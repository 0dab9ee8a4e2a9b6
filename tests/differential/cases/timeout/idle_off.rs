//! An idle timeout of zero is none.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.edit_listener(|listener| listener.stream_idle_timeout(ms(0)));
    case.one(|route| route.timeout(ms(0)));
    case.ask(get("/").script("a", [Behaviour::delay(ms(300))]));
}
