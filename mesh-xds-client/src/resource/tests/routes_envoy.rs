//! RouteConfigurations in dialect envoy: "Virtual hosts", "Route matching", "Timeouts".

use std::time::Duration;

use http::StatusCode;
use mesh_core::config::{ClusterChoice, GrpcTimeoutRule, HeaderLines, PathMatch};
use mesh_proto::envoy::r#type::v3::FractionalPercent;
use pb::{
    route_action::{HostRewriteSpecifier, MaxStreamDuration},
    route_match::PathSpecifier,
    weighted_cluster::{ClusterWeight, RandomValueSpecifier},
};

use super::*;

const ENVOY: Dialect = Dialect::Envoy;

fn host(name: &str, domains: &[&str]) -> pb::VirtualHost {
    pb::VirtualHost {
        name: name.to_owned(),
        domains: domains.iter().map(|&d| d.to_owned()).collect(),
        routes: vec![to(forward("a"))],
        ..Default::default()
    }
}

fn hosts(virtual_hosts: Vec<pb::VirtualHost>) -> RouteConfiguration {
    RouteConfiguration {
        name: "routes".to_owned(),
        virtual_hosts,
        ..Default::default()
    }
}

fn weighted(message: pb::WeightedCluster) -> pb::RouteAction {
    pb::RouteAction {
        cluster_specifier: Some(ClusterSpecifier::WeightedClusters(message)),
        ..Default::default()
    }
}

fn entry(name: &str, weight: u32) -> ClusterWeight {
    ClusterWeight {
        name: name.to_owned(),
        weight: Some(weight),
        ..Default::default()
    }
}

fn refusal(message: pb::RouteAction) -> String {
    match action(ENVOY, message) {
        RouteAction::Refuse(reason) => reason.to_string(),
        RouteAction::Forward(forward) => panic!("{forward:?}"),
    }
}

#[test]
fn the_rules_of_matching_are_envoys() {
    let message = RouteConfiguration {
        ignore_port_in_host_matching: true,
        ..routes(vec![to(forward("a"))])
    };
    let config = route_config(ENVOY, &message);
    assert_eq!(config.rules.lines, HeaderLines::Each);
    assert!(config.ignore_port);
}

#[test]
fn domains_are_unique_whatever_their_case() {
    let message = hosts(vec![host("a", &["x", "y"]), host("b", &["X"])]);
    assert_eq!(
        errors(ENVOY, &message),
        ["virtual_hosts[1].domains[0]: \"X\" is the domain of two virtual hosts"]
    );
    let message = hosts(vec![host("a", &["*", "*"])]);
    assert_eq!(
        errors(ENVOY, &message),
        ["virtual_hosts[0].domains[1]: \"*\" is the domain of two virtual hosts"]
    );
    let message = hosts(vec![host("a", &[]), host("", &["x"])]);
    assert_eq!(
        errors(ENVOY, &message),
        [
            "virtual_hosts[0].domains: is empty",
            "virtual_hosts[1].name: is empty"
        ]
    );
}

#[test]
fn oddities_that_load() {
    let message = hosts(vec![host("a", &["a.*.b"]), host("a", &["x"])]);
    assert_eq!(route_config(ENVOY, &message).virtual_hosts.len(), 2);
}

#[test]
fn paths() {
    let read = |specifier| {
        routes(vec![pb::Route {
            r#match: Some(pb::RouteMatch {
                path_specifier: Some(specifier),
                ..Default::default()
            }),
            ..to(forward("a"))
        }])
    };
    let segments = |text: &str| read(PathSpecifier::PathSeparatedPrefix(text.to_owned()));
    let found = decoded_routes(ENVOY, &segments("/a")).swap_remove(0);
    let expected = PathMatch::PathSeparatedPrefix("/a".into());
    assert_eq!(found.matches.path, expected);
    assert!(found.matches.case_sensitive);
    let at = "virtual_hosts[0].routes[0].match";
    for bad in ["", "/", "a", "/a/", "/a?b", "/a#b"] {
        assert_eq!(
            errors(ENVOY, &segments(bad)),
            [format!(
                "{at}.path_separated_prefix: needs two characters at least, must not end in / nor \
                 contain ? or #"
            )]
        );
    }
    assert_eq!(
        errors(
            ENVOY,
            &read(PathSpecifier::ConnectMatcher(Default::default()))
        ),
        [format!("{at}.connect_matcher: is not supported yet")]
    );
    assert_eq!(
        errors(
            ENVOY,
            &read(PathSpecifier::PathMatchPolicy(Default::default()))
        ),
        [format!("{at}.path_match_policy: is not supported yet")]
    );
}

#[test]
fn conditions() {
    let read = |matches| {
        routes(vec![pb::Route {
            r#match: Some(matches),
            ..to(forward("a"))
        }])
    };
    let grpc = pb::RouteMatch {
        grpc: Some(Default::default()),
        ..every_path()
    };
    assert!(decoded_routes(ENVOY, &read(grpc))[0].matches.grpc);
    let unknown = pb::RouteMatch {
        tls_context: Some(Default::default()),
        dynamic_metadata: vec![Default::default()],
        filter_state: vec![Default::default()],
        cookies: vec![Default::default()],
        ..every_path()
    };
    let at = "virtual_hosts[0].routes[0].match";
    assert_eq!(
        errors(ENVOY, &read(unknown)),
        ["tls_context", "dynamic_metadata", "filter_state", "cookies"]
            .map(|field| format!("{at}.{field}: is not supported yet"))
    );
    let fraction = |default_value| pb::RouteMatch {
        runtime_fraction: Some(core::RuntimeFractionalPercent {
            default_value,
            runtime_key: String::new(),
        }),
        ..every_path()
    };
    assert_eq!(
        errors(ENVOY, &read(fraction(None))),
        [format!("{at}.runtime_fraction.default_value: is missing")]
    );
    let odd = FractionalPercent {
        numerator: 1,
        denominator: 3,
    };
    assert_eq!(
        errors(ENVOY, &read(fraction(Some(odd)))),
        [format!(
            "{at}.runtime_fraction.default_value.denominator: unknown denominator type 3"
        )]
    );
}

#[test]
fn the_route_timeout() {
    let timeout = |timeout: Option<Span>, stream: Option<MaxStreamDuration>| {
        forwarding(
            ENVOY,
            pb::RouteAction {
                timeout,
                max_stream_duration: stream,
                ..forward("a")
            },
        )
        .timeout
    };
    assert_eq!(timeout(None, None), Some(Duration::from_secs(15)));
    assert_eq!(
        timeout(Some(millis(20)), None),
        Some(Duration::from_millis(20))
    );
    assert_eq!(timeout(Some(millis(0)), None), None);
    // Present is enough, even with nothing in it.
    assert_eq!(timeout(None, Some(Default::default())), None);
    assert_eq!(timeout(Some(millis(20)), Some(Default::default())), None);
    let bad = pb::RouteAction {
        timeout: Some(millis(-1)),
        ..forward("a")
    };
    assert_eq!(
        errors(ENVOY, &routes(vec![to(bad)])),
        ["virtual_hosts[0].routes[0].route.timeout: is a negative duration"]
    );
}

#[test]
fn the_limits_of_a_stream() {
    let limited = pb::RouteAction {
        max_stream_duration: Some(MaxStreamDuration {
            max_stream_duration: None,
            grpc_timeout_header_max: Some(millis(0)),
            grpc_timeout_header_offset: Some(millis(5)),
        }),
        ..forward("a")
    };
    let stream = forwarding(ENVOY, limited).stream;
    assert_eq!(stream.grpc_timeout, GrpcTimeoutRule::WhenCapped);
    assert_eq!(stream.grpc_timeout_max, Some(Duration::ZERO));
    assert_eq!(stream.grpc_timeout_offset, Duration::from_millis(5));
    let plain = forwarding(ENVOY, forward("a")).stream;
    assert_eq!(plain.grpc_timeout, GrpcTimeoutRule::WhenCapped);
}

#[test]
fn actions_of_another_kind_refuse_their_requests() {
    use pb::route::Action;
    let with = |action| {
        routes(vec![pb::Route {
            action,
            ..to(forward("a"))
        }])
    };
    let direct = |status| {
        Some(Action::DirectResponse(pb::DirectResponseAction {
            status,
            ..Default::default()
        }))
    };
    for (action, name) in [
        (Some(Action::Redirect(Default::default())), "redirect"),
        (direct(403), "direct_response"),
    ] {
        let found = decoded_routes(ENVOY, &with(action)).swap_remove(0).action;
        let expected = RouteAction::Refuse(format!("{name} is not supported yet").into());
        assert_eq!(found, expected);
    }
    let at = "virtual_hosts[0].routes[0]";
    for status in [0, 99, 600] {
        assert_eq!(
            errors(ENVOY, &with(direct(status))),
            [format!(
                "{at}.direct_response.status: {status} is not within 100 to 599"
            )]
        );
    }
    assert_eq!(errors(ENVOY, &with(None)), [format!("{at}: has no action")]);
}

#[test]
fn what_would_change_a_request_refuses_it_by_name() {
    let rewrite = |specifier| pb::RouteAction {
        host_rewrite_specifier: Some(specifier),
        ..forward("a")
    };
    for (message, name) in [
        (
            pb::RouteAction {
                prefix_rewrite: "/".to_owned(),
                ..forward("a")
            },
            "prefix_rewrite",
        ),
        (
            pb::RouteAction {
                regex_rewrite: Some(Default::default()),
                ..forward("a")
            },
            "regex_rewrite",
        ),
        (
            rewrite(HostRewriteSpecifier::HostRewriteLiteral("x".to_owned())),
            "host_rewrite_literal",
        ),
        (
            rewrite(HostRewriteSpecifier::AutoHostRewrite(true)),
            "auto_host_rewrite",
        ),
        (
            pb::RouteAction {
                request_mirror_policies: vec![Default::default()],
                ..forward("a")
            },
            "request_mirror_policies",
        ),
        (
            pb::RouteAction {
                internal_redirect_policy: Some(Default::default()),
                ..forward("a")
            },
            "internal_redirect_policy",
        ),
    ] {
        assert_eq!(refusal(message), format!("{name} is not supported yet"));
    }
    forwarding(ENVOY, rewrite(HostRewriteSpecifier::AutoHostRewrite(false)));
}

#[test]
fn what_concerns_a_whole_host_refuses_all_its_routes_and_no_others() {
    let mut message = hosts(vec![host("a", &["a"]), host("b", &["b"])]);
    message.virtual_hosts[0].response_headers_to_remove = vec!["x".to_owned()];
    let config = route_config(ENVOY, &message);
    let refused = |host: usize| {
        let routes = &config.virtual_hosts[host].routes;
        routes
            .iter()
            .all(|route| matches!(route.action, RouteAction::Refuse(_)))
    };
    assert!(refused(0) && !refused(1));
    let mut message = routes(vec![to(forward("a"))]);
    message.request_headers_to_remove = vec!["x".to_owned()];
    message.vhds = Some(Default::default());
    message.virtual_hosts[0].matcher = Some(Default::default());
    assert_eq!(
        errors(ENVOY, &message),
        [
            "vhds",
            "request_headers_to_remove",
            "virtual_hosts[0].matcher"
        ]
        .map(|field| format!("{field}: is not supported yet"))
    );
}

#[test]
fn the_idle_timeout_is_read() {
    for (said, expected) in [
        (None, None),
        (Some(millis(0)), Some(Duration::ZERO)),
        (Some(millis(1_500)), Some(Duration::from_millis(1_500))),
    ] {
        let message = pb::RouteAction {
            idle_timeout: said,
            ..forward("a")
        };
        assert_eq!(forwarding(ENVOY, message).idle_timeout, expected);
    }
}

#[test]
fn harmless_fields_are_reported() {
    let message = pb::RouteAction {
        hash_policy: vec![Default::default()],
        metadata_match: Some(Default::default()),
        priority: 1,
        max_grpc_timeout: Some(millis(0)),
        ..forward("a")
    };
    forwarding(ENVOY, message.clone());
    let at = "virtual_hosts[0].routes[0].route";
    let fields = [
        "metadata_match",
        "hash_policy",
        "priority",
        "max_grpc_timeout",
    ];
    assert_eq!(
        warnings(ENVOY, &routes(vec![to(message)])),
        fields.map(|field| format!("{at}.{field}: is accepted but has no effect"))
    );
}

#[test]
fn clusters() {
    let by_header = |name: &str| pb::RouteAction {
        cluster_specifier: Some(ClusterSpecifier::ClusterHeader(name.to_owned())),
        cluster_not_found_response_code: 1,
        ..Default::default()
    };
    let found = forwarding(ENVOY, by_header("X-Cluster"));
    assert_eq!(
        found.cluster,
        ClusterChoice::Header("x-cluster".parse().unwrap())
    );
    assert_eq!(found.cluster_not_found, StatusCode::NOT_FOUND);
    assert!(refusal(by_header(":authority")).contains(":authority"));
    let at = "virtual_hosts[0].routes[0].route";
    assert_eq!(
        errors(ENVOY, &routes(vec![to(by_header("a b"))])),
        [format!("{at}.cluster_header: \"a b\" is not a header name")]
    );
    let none = pb::RouteAction {
        cluster_not_found_response_code: 9,
        ..forward("a")
    };
    assert_eq!(
        errors(ENVOY, &routes(vec![to(none)])),
        [format!(
            "{at}.cluster_not_found_response_code: is not a known value"
        )]
    );
    assert_eq!(
        errors(ENVOY, &routes(vec![to(pb::RouteAction::default())])),
        [format!("{at}: has no cluster_specifier")]
    );
    let inline = ClusterSpecifier::InlineClusterSpecifierPlugin(Default::default());
    let inline = pb::RouteAction {
        cluster_specifier: Some(inline),
        ..Default::default()
    };
    assert_eq!(
        refusal(inline),
        "inline_cluster_specifier_plugin is not supported yet"
    );
}

#[test]
fn weighted_clusters() {
    let message = pb::WeightedCluster {
        clusters: vec![entry("a", 1), entry("b", 0), entry("c", 2)],
        random_value_specifier: Some(RandomValueSpecifier::HeaderName("X-Draw".to_owned())),
        ..Default::default()
    };
    let ClusterChoice::Weighted(found) = forwarding(ENVOY, weighted(message)).cluster else {
        panic!();
    };
    let names: Vec<_> = found.clusters.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["a", "c"]);
    assert_eq!(found.header_name, Some("x-draw".parse().unwrap()));

    let at = "virtual_hosts[0].routes[0].route.weighted_clusters";
    let bad = pb::WeightedCluster {
        clusters: vec![
            ClusterWeight {
                weight: None,
                ..entry("a", 1)
            },
            entry("", 1),
            ClusterWeight {
                cluster_header: "x".to_owned(),
                ..entry("b", 1)
            },
        ],
        random_value_specifier: Some(RandomValueSpecifier::HeaderName("a\n".to_owned())),
        ..Default::default()
    };
    assert_eq!(
        errors(ENVOY, &routes(vec![to(weighted(bad))])),
        [
            format!("{at}.clusters[0].weight: is missing"),
            format!("{at}.clusters[1].name: is empty"),
            format!("{at}.clusters[2].cluster_header: is given beside a name"),
            format!("{at}.header_name: \"a\\n\" is not a header name"),
        ]
    );
    let pseudo = pb::WeightedCluster {
        clusters: vec![entry("a", 1)],
        random_value_specifier: Some(RandomValueSpecifier::HeaderName(":path".to_owned())),
        ..Default::default()
    };
    assert_eq!(
        warnings(ENVOY, &routes(vec![to(weighted(pseudo))])),
        [format!("{at}.header_name: is accepted but has no effect")]
    );
    let none = pb::WeightedCluster::default();
    assert_eq!(
        errors(ENVOY, &routes(vec![to(weighted(none))])),
        [format!("{at}.clusters: have a sum of weights of zero")]
    );
}

#[test]
fn weighted_clusters_that_would_change_a_request() {
    let mutating = |weight| pb::WeightedCluster {
        clusters: vec![
            entry("a", 1),
            ClusterWeight {
                request_headers_to_remove: vec!["x".to_owned()],
                ..entry("b", weight)
            },
        ],
        ..Default::default()
    };
    assert_eq!(
        refusal(weighted(mutating(1))),
        "request_headers_to_remove is not supported yet"
    );
    forwarding(ENVOY, weighted(mutating(0)));
    let by_header = pb::WeightedCluster {
        clusters: vec![ClusterWeight {
            cluster_header: "x".to_owned(),
            ..entry("", 1)
        }],
        ..Default::default()
    };
    assert_eq!(
        refusal(weighted(by_header)),
        "cluster_header of weighted_clusters is not supported yet"
    );
    let hashed = pb::WeightedCluster {
        clusters: vec![entry("a", 1)],
        random_value_specifier: Some(RandomValueSpecifier::UseHashPolicy(true)),
        ..Default::default()
    };
    assert_eq!(
        refusal(weighted(hashed)),
        "use_hash_policy is not supported yet"
    );
}
