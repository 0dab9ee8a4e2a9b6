//! Clusters in dialect envoy: "Cluster", "HttpProtocolOptions", "Circuit breaking".

use std::time::Duration;

use mesh_core::config::{
    Address, Discovery, Http1Config, Http2Config, Limits, Protocol, RetryBudget, Transport,
};
use mesh_proto::envoy::{
    config::cluster::v3::{
        CircuitBreakers, OutlierDetection,
        circuit_breakers::{Thresholds, thresholds::RetryBudget as BudgetMessage},
        cluster::{DiscoveryType, LbConfig, LbPolicy, OriginalDstLbConfig},
    },
    extensions::{
        clusters::dns::v3::DnsCluster,
        upstreams::http::v3::{
            HttpProtocolOptions,
            http_protocol_options::{
                ExplicitHttpConfig, UpstreamProtocolOptions, explicit_http_config::ProtocolConfig,
            },
        },
    },
    r#type::v3::Percent,
};

use super::{
    cluster_grpc::{at_hosts, custom, of_type},
    *,
};

const ENVOY: Dialect = Dialect::Envoy;
const KEY: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

fn options(options: &HttpProtocolOptions) -> Cluster {
    Cluster {
        typed_extension_protocol_options: [(KEY.to_owned(), Any::pack(options))].into(),
        ..eds()
    }
}

fn explicit(config: Option<ProtocolConfig>) -> HttpProtocolOptions {
    let explicit = ExplicitHttpConfig {
        protocol_config: config,
    };
    HttpProtocolOptions {
        upstream_protocol_options: Some(UpstreamProtocolOptions::ExplicitHttpConfig(explicit)),
        ..Default::default()
    }
}

#[test]
fn defaults() {
    let expected = ClusterConfig::new("greeter", Discovery::Eds("greeter".into()), ENVOY);
    assert_eq!(cluster(ENVOY, &eds()), expected);
    assert_eq!(expected.connect_timeout, Duration::from_secs(5));
    assert_eq!(expected.limits, Limits::default());
    assert_eq!(expected.transport, Transport::Plaintext);
}

#[test]
fn static_clusters_list_their_endpoints() {
    let with = |assignment| Cluster {
        load_assignment: assignment,
        ..of_type(DiscoveryType::Static)
    };
    let message = with(Some(at_hosts(&[&[("10.0.0.1", 80), ("::1", 81)]])));
    for cluster_discovery_type in [message.cluster_discovery_type.clone(), None] {
        let message = Cluster {
            cluster_discovery_type,
            ..message.clone()
        };
        let Discovery::Static(endpoints) = cluster(ENVOY, &message).discovery else {
            panic!()
        };
        let found: Vec<_> = endpoints.localities[0]
            .endpoints
            .iter()
            .map(|endpoint| endpoint.address.clone())
            .collect();
        let expected = ["10.0.0.1:80", "[::1]:81"].map(|a| Address::Socket(a.parse().unwrap()));
        assert_eq!(found, expected);
    }
    let Discovery::Static(none) = cluster(ENVOY, &with(None)).discovery else {
        panic!()
    };
    assert!(none.localities.is_empty());
    let mut bad = at_hosts(&[&[("a", 80)]]);
    bad.cluster_name = String::new();
    assert_eq!(
        errors(ENVOY, &with(Some(bad))),
        [
            "load_assignment.cluster_name: is empty",
            "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address: \
             \"a\" is not an IP address",
        ]
    );
}

#[test]
fn clusters_found_by_dns() {
    let hosts = at_hosts(&[&[("a", 80), ("b", 81)], &[("c", 82)]]);
    let expected = |logical, hosts: &[(&str, u16)]| Discovery::Dns {
        hosts: hosts
            .iter()
            .map(|&(name, port)| (name.into(), port))
            .collect(),
        logical,
    };
    let mut strict = Cluster {
        load_assignment: Some(hosts.clone()),
        ..of_type(DiscoveryType::StrictDns)
    };
    let all = [("a", 80), ("b", 81), ("c", 82)];
    assert_eq!(cluster(ENVOY, &strict).discovery, expected(false, &all));
    strict.load_assignment.as_mut().unwrap().endpoints[1].priority = 1;
    assert_eq!(
        errors(ENVOY, &strict),
        [
            "load_assignment.endpoints[1].priority: above zero is not supported yet in a cluster \
          found by DNS"
        ]
    );
    let dns = |logical, assignment| Cluster {
        load_assignment: Some(assignment),
        ..custom(
            "envoy.cluster.dns",
            Some(Any::pack(&DnsCluster {
                all_addresses_in_single_endpoint: logical,
                ..Default::default()
            })),
        )
    };
    assert_eq!(
        cluster(ENVOY, &dns(false, hosts)).discovery,
        expected(false, &all)
    );
    let one = at_hosts(&[&[("a", 80)]]);
    assert_eq!(
        cluster(ENVOY, &dns(true, one)).discovery,
        expected(true, &all[..1])
    );
}

#[test]
fn original_destination() {
    let mut message = Cluster {
        lb_policy: LbPolicy::ClusterProvided as i32,
        ..of_type(DiscoveryType::OriginalDst)
    };
    assert_eq!(cluster(ENVOY, &message).discovery, Discovery::OriginalDst);
    message.lb_config = Some(LbConfig::OriginalDstLbConfig(OriginalDstLbConfig {
        use_http_header: true,
        ..Default::default()
    }));
    message.load_assignment = Some(at_hosts(&[]));
    assert_eq!(
        errors(ENVOY, &message),
        [
            "original_dst_lb_config.use_http_header: is not supported yet",
            "load_assignment: has no place in ORIGINAL_DST",
        ]
    );
}

#[test]
fn connect_timeout() {
    let with = |timeout| Cluster {
        connect_timeout: Some(timeout),
        ..eds()
    };
    let found = cluster(ENVOY, &with(millis(250))).connect_timeout;
    assert_eq!(found, Duration::from_millis(250));
    assert_eq!(
        errors(ENVOY, &with(millis(0))),
        ["connect_timeout: must be greater than zero"]
    );
}

#[test]
fn protocols() {
    let http1 = explicit(Some(
        ProtocolConfig::HttpProtocolOptions(Default::default()),
    ));
    let found = cluster(ENVOY, &options(&http1)).protocol;
    assert_eq!(found, Protocol::Http1(Http1Config::default()));
    let http2 = core::Http2ProtocolOptions {
        max_concurrent_streams: Some(7),
        initial_stream_window_size: Some(65_535),
        initial_connection_window_size: Some(70_000),
        connection_keepalive: Some(core::KeepaliveSettings {
            interval: Some(millis(100)),
            timeout: Some(millis(50)),
            ..Default::default()
        }),
        ..Default::default()
    };
    let expected = Protocol::Http2(Http2Config {
        max_concurrent_streams: 7,
        initial_stream_window: 65_535,
        initial_connection_window: 70_000,
        keepalive_interval: Some(Duration::from_millis(100)),
        keepalive_timeout: Duration::from_millis(50),
    });
    let typed = explicit(Some(ProtocolConfig::Http2ProtocolOptions(http2.clone())));
    assert_eq!(cluster(ENVOY, &options(&typed)).protocol, expected);
    let legacy = Cluster {
        http2_protocol_options: Some(http2),
        ..eds()
    };
    assert_eq!(cluster(ENVOY, &legacy).protocol, expected);
    // The typed options hide the old ones.
    let both = Cluster {
        http2_protocol_options: legacy.http2_protocol_options,
        ..options(&http1)
    };
    assert_eq!(
        cluster(ENVOY, &both).protocol,
        Protocol::Http1(Http1Config::default())
    );
}

#[test]
fn bad_protocol_options() {
    let at = format!("typed_extension_protocol_options[{KEY:?}]");
    let bad = core::Http2ProtocolOptions {
        max_concurrent_streams: Some(0),
        initial_stream_window_size: Some(65_534),
        initial_connection_window_size: Some(1 << 31),
        connection_keepalive: Some(core::KeepaliveSettings {
            interval: Some(millis(0)),
            ..Default::default()
        }),
        ..Default::default()
    };
    let typed = explicit(Some(ProtocolConfig::Http2ProtocolOptions(bad)));
    let http2 = format!("{at}.explicit_http_config.http2_protocol_options");
    assert_eq!(
        errors(ENVOY, &options(&typed)),
        [
            format!("{http2}.max_concurrent_streams: 0 is not within 1 to 2147483647"),
            format!("{http2}.initial_stream_window_size: 65534 is not within 65535 to 2147483647"),
            format!(
                "{http2}.initial_connection_window_size: 2147483648 is not within 65535 to 2147483647"
            ),
            format!("{http2}.connection_keepalive.interval: must be at least 1 ms"),
            format!("{http2}.connection_keepalive.timeout: is missing"),
        ]
    );
    let of = |upstream_protocol_options| HttpProtocolOptions {
        upstream_protocol_options,
        ..Default::default()
    };
    use UpstreamProtocolOptions as Upstream;
    for (typed, expected) in [
        (of(None), ": has no upstream_protocol_options"),
        (
            explicit(None),
            ".explicit_http_config: has no protocol_config",
        ),
        (
            explicit(Some(ProtocolConfig::Http3ProtocolOptions(
                Default::default(),
            ))),
            ".explicit_http_config.http3_protocol_options: is not supported",
        ),
        (
            of(Some(Upstream::AutoConfig(Default::default()))),
            ".auto_config: is not supported yet",
        ),
        (
            of(Some(Upstream::UseDownstreamProtocolConfig(
                Default::default(),
            ))),
            ".use_downstream_protocol_config: is not supported yet",
        ),
    ] {
        assert_eq!(errors(ENVOY, &options(&typed)), [format!("{at}{expected}")]);
        // gRPC reads no more than the type.
        cluster(Dialect::Grpc, &options(&typed));
    }
    let downstream = Cluster {
        protocol_selection: 1,
        ..eds()
    };
    assert_eq!(
        errors(ENVOY, &downstream),
        ["protocol_selection: USE_DOWNSTREAM_PROTOCOL is not supported yet"]
    );
}

#[test]
fn the_life_of_connections() {
    let with = |idle, requests| HttpProtocolOptions {
        common_http_protocol_options: Some(core::HttpProtocolOptions {
            idle_timeout: Some(idle),
            max_requests_per_connection: Some(requests),
            ..Default::default()
        }),
        ..explicit(Some(
            ProtocolConfig::HttpProtocolOptions(Default::default()),
        ))
    };
    let found = cluster(ENVOY, &options(&with(millis(1_500), 9)));
    assert_eq!(found.idle_timeout, Some(Duration::from_millis(1_500)));
    assert_eq!(found.max_requests_per_connection, Some(9));
    let found = cluster(ENVOY, &options(&with(millis(0), 0)));
    assert_eq!(
        (found.idle_timeout, found.max_requests_per_connection),
        (None, None)
    );
    let legacy = Cluster {
        max_requests_per_connection: Some(4),
        ..eds()
    };
    let found = cluster(ENVOY, &legacy);
    assert_eq!(found.max_requests_per_connection, Some(4));
    assert_eq!(found.idle_timeout, Some(Duration::from_secs(3_600)));
}

#[test]
fn circuit_breakers() {
    let with = |thresholds| Cluster {
        circuit_breakers: Some(CircuitBreakers {
            thresholds: vec![thresholds],
            ..Default::default()
        }),
        ..eds()
    };
    let found = cluster(
        ENVOY,
        &with(Thresholds {
            max_connections: Some(1),
            max_pending_requests: Some(2),
            max_requests: Some(3),
            max_retries: Some(4),
            ..Default::default()
        }),
    );
    let expected = Limits {
        max_connections: 1,
        max_pending_requests: 2,
        max_requests: 3,
        max_retries: 4,
        retry_budget: None,
    };
    assert_eq!(found.limits, expected);
    let budget = |percent: Option<f64>, min| {
        with(Thresholds {
            retry_budget: Some(BudgetMessage {
                budget_percent: percent.map(|value| Percent { value }),
                min_retry_concurrency: min,
                ..Default::default()
            }),
            ..Default::default()
        })
    };
    let expected = |millionths, min_concurrency| {
        let share = mesh_core::config::Fraction::new(millionths, 1_000_000);
        Some(RetryBudget {
            share,
            min_concurrency,
        })
    };
    let found = |message| cluster(ENVOY, &message).limits.retry_budget;
    assert_eq!(found(budget(None, None)), expected(200_000, 3));
    assert_eq!(found(budget(Some(12.5), Some(1))), expected(125_000, 1));
    for bad in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
        assert_eq!(
            errors(ENVOY, &budget(Some(bad), None)),
            [format!(
                "circuit_breakers.thresholds[0].retry_budget.budget_percent.value: {bad} is not \
                 within 0 to 100"
            )]
        );
    }
    let odd = with(Thresholds {
        priority: 9,
        ..Default::default()
    });
    assert_eq!(
        errors(ENVOY, &odd),
        ["circuit_breakers.thresholds[0].priority: is not a known value"]
    );
}

#[test]
fn outlier_detection_is_checked() {
    let with = |outlier| Cluster {
        outlier_detection: Some(outlier),
        ..eds()
    };
    let bad = with(OutlierDetection {
        interval: Some(millis(0)),
        base_ejection_time: Some(millis(20)),
        max_ejection_time: Some(millis(10)),
        enforcing_consecutive_5xx: Some(101),
        ..Default::default()
    });
    assert_eq!(
        errors(ENVOY, &bad),
        [
            "interval: must be greater than zero",
            "max_ejection_time: is less than base_ejection_time",
            "enforcing_consecutive_5xx: is above 100",
        ]
        .map(|error| format!("outlier_detection.{error}"))
    );
    assert_eq!(
        warnings(ENVOY, &with(OutlierDetection::default())),
        ["outlier_detection: is accepted but has no effect"]
    );
}
