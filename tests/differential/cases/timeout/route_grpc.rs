//! A gRPC call whose answer does not come in time.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one2(|route| route.timeout(ms(150)));
    case.ask(get("/a/b").grpc().script("a", [Behaviour::delay(ms(600))]));
    case.ask(
        get("/a/b")
            .grpc()
            .header("grpc-timeout", "50m")
            .script("a", [Behaviour::delay(ms(600))]),
    );
}
