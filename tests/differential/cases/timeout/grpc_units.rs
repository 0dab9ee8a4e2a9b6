//! All units of a deadline.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.grpc_timeout_max(ms(0)));
    for timeout in ["1H", "1M", "5S", "5000m", "5000000u", "99999999n"] {
        let ask = get("/").header("grpc-timeout", timeout).by(Http1);
        case.ask(ask.script("a", [Behaviour::delay(ms(200))]));
    }
}
