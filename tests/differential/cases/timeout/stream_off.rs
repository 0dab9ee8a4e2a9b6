//! An exchange limited to zero is not limited.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.max_stream_duration(ms(0)));
    case.ask(get("/").script("a", [Behaviour::delay(ms(200))]));
}
