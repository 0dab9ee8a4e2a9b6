//! A content-type is enough, whatever carries it.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| {
        route.edit_match(|of| of.grpc = Some(GrpcRouteMatchOptions::default()))
    });
    case.ask(
        post("/a/b", "x")
            .header("content-type", "application/grpc")
            .by(Http1),
    );
    case.ask(
        post("/a/b", "x")
            .header("content-type", "text/plain")
            .by(Http1),
    );
}
