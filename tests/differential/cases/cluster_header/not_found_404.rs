//! A cluster that is not there is answered with 404, as is told.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let missing = case.full("missing");
    let code = ClusterNotFoundResponseCode::NotFound;
    let told = |route: RouteBuilder| {
        route.edit_action(|action| action.cluster_not_found_response_code = code.into())
    };
    case.routes([
        told(by_cluster_header("x-cluster")).prefix("/header"),
        told(to(&missing)),
    ]);
    case.gets(&["/", "/header"]);
    case.ask(get("/").grpc());
    case.ask(get("/header").header("x-cluster", "none"));
}
