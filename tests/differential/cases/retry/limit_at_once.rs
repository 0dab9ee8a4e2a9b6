//! As many retries at a time as the cluster allows.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server("a");
    let endpoints = |name: &str| xds::endpoints(name, &[a]);
    let limited = case.cluster_with("limited", endpoints, |cluster| cluster.max_retries(2));
    case.routes([to(&limited).retry(retry("5xx", 1).backoff(ms(1), ms(2)))]);
    let failing = Behaviour {
        delay: ms(150),
        ..Behaviour::status(503)
    };
    let late = Behaviour::delay(ms(300));
    let script = vec![failing; 5].into_iter().chain(vec![late; 5]);
    case.ask(get("/").script("a", script).at_once(5));
}
