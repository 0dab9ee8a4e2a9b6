//! What counts as gRPC.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.hit_or_miss(|route| {
        route.edit_match(|of| of.grpc = Some(GrpcRouteMatchOptions::default()))
    });
    case.with(
        "content-type",
        &[
            "application/grpc",
            "application/grpc+proto",
            "application/grpc+",
            "application/grpc-web",
            "application/grpcx",
            "application/grpc; charset=utf-8",
            "APPLICATION/GRPC",
            "application/json",
        ],
    );
}
