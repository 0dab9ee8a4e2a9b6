//! Where the exchange is limited the route's timeout is not looked at.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.timeout(ms(50)).max_stream_duration(ms(5000)));
    case.ask(get("/").script("a", [Behaviour::delay(ms(250))]));
}
