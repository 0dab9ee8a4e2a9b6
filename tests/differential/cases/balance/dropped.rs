//! A share that is dropped.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server("a");
    let dropping = |share: f64| move |full: &str| xds::endpoints(full, &[a]).drop("all", share);
    let none = case.cluster_with("none", dropping(0.0), |cluster| cluster);
    let all = case.cluster_with("all", dropping(100.0), |cluster| cluster);
    let some = case.cluster_with("some", dropping(30.0), |cluster| cluster);
    case.routes([
        to(&none).prefix("/none"),
        to(&all).prefix("/all"),
        to(&some),
    ]);
    case.gets(&["/none", "/all"]);
    case.ask(get("/all").grpc());
    case.ask(get("/some").times(200).by(Http1));
    case.ask(get("/some").grpc().times(100));
}
