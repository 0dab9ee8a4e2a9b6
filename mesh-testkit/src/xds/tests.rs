use mesh_proto::envoy::config::listener::v3::Listener;
use mesh_proto::envoy::config::route::v3::route::Action;
use mesh_proto::envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
use tonic::Code;

use super::*;
use crate::control::{CDS, EDS, LDS, RDS, Resource};

#[test]
fn builders_become_named_resources() {
    let address = "127.0.0.1:80".parse().unwrap();
    let list: [Resource; 4] = [
        listener("l", "r").into(),
        routes("r", &[("a", 1)]).into(),
        cluster("a").http2().into(),
        endpoints("a", &[address]).into(),
    ];
    let named = list.map(|resource| (resource.type_url().to_owned(), resource.name().to_owned()));
    let named: Vec<_> = named
        .iter()
        .map(|(t, n)| (t.as_str(), n.as_str()))
        .collect();
    assert_eq!(named, [(LDS, "l"), (RDS, "r"), (CDS, "a"), (EDS, "a")]);
}

#[test]
fn filters_come_before_the_router() {
    let built: Listener = listener("l", "r")
        .fault(fault().abort_grpc(Code::Aborted, 12.5))
        .build();
    let manager: HttpConnectionManager = built
        .api_listener
        .unwrap()
        .api_listener
        .unwrap()
        .unpack()
        .unwrap();
    let names: Vec<_> = manager
        .http_filters
        .iter()
        .map(|f| f.name.as_str())
        .collect();
    assert_eq!(names, ["fault", "router"]);
}

#[test]
fn routes_carry_their_matches_and_limits() {
    let route = split(&[("a", 9), ("b", 1)])
        .path("/x/Y")
        .header("k", "v")
        .share(0.5)
        .timeout(Duration::from_millis(1500))
        .retry(retry("unavailable", 2).backoff(Duration::from_millis(25), Duration::from_secs(1)))
        .build();
    let of = route.r#match.unwrap();
    assert_eq!(of.headers.len(), 1);
    let share = of.runtime_fraction.unwrap().default_value.unwrap();
    assert_eq!(share.numerator, 5_000);
    let Some(Action::Route(action)) = route.action else {
        panic!("no route action");
    };
    let timeout = action.timeout.unwrap();
    assert_eq!((timeout.seconds, timeout.nanos), (1, 500_000_000));
    assert_eq!(action.retry_policy.unwrap().num_retries, Some(2));
}

#[test]
fn limits_share_one_threshold() {
    let built = cluster("a").max_requests(3).max_retries(1).build();
    let thresholds = built.circuit_breakers.unwrap().thresholds;
    assert_eq!(thresholds.len(), 1);
    assert_eq!(
        (thresholds[0].max_requests, thresholds[0].max_retries),
        (Some(3), Some(1))
    );
}
