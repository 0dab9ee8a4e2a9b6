//! A cluster that allows no retries at a time.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server("a");
    let endpoints = |name: &str| xds::endpoints(name, &[a]);
    let full = case.cluster_with("full", endpoints, |cluster| cluster.max_retries(0));
    case.routes([to(&full).retry(retry("5xx", 2).backoff(ms(1), ms(2)))]);
    case.ask(get("/").script("a", [Behaviour::status(503)]));
    case.ask(get("/").script("a", [Behaviour::status(404)]));
    case.ask(get("/a/b").grpc().script("a", [Behaviour::status(503)]));
}
