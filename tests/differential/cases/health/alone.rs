//! An only endpoint of each health.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let at = case.server("a");
    let all = [
        HealthStatus::Unknown,
        HealthStatus::Healthy,
        HealthStatus::Unhealthy,
        HealthStatus::Draining,
        HealthStatus::Timeout,
        HealthStatus::Degraded,
    ];
    let routes: Vec<_> = all
        .into_iter()
        .map(|health| {
            let endpoints = |full: &str| {
                let local = xds::locality("local").endpoint(at).health(health);
                xds::no_endpoints(full).locality(local)
            };
            let name = health.as_str_name().to_lowercase();
            let cluster = case.cluster_with(&name, endpoints, |cluster| cluster);
            to(&cluster).prefix(&format!("/{name}"))
        })
        .collect();
    case.routes(routes);
    for health in all {
        case.ask(get(&format!("/{}", health.as_str_name().to_lowercase())));
    }
}
