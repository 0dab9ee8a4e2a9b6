//! RouteConfigurations in dialect grpc: gRFC A27, A28, A31, A41, A42.

use mesh_core::config::{ClusterChoice, DomainPattern, GrpcTimeoutRule, HeaderLines};
use mesh_proto::envoy::r#type::{matcher::v3::RegexMatchAndSubstitute, v3::FractionalPercent};
use pb::{
    route_action::{HashPolicy, MaxStreamDuration, hash_policy},
    route_match::PathSpecifier,
    weighted_cluster::ClusterWeight,
};
use std::time::Duration;

use super::*;

const GRPC: Dialect = Dialect::Grpc;

fn path(specifier: Option<PathSpecifier>) -> RouteConfiguration {
    routes(vec![pb::Route {
        r#match: Some(pb::RouteMatch {
            path_specifier: specifier,
            ..Default::default()
        }),
        ..to(forward("a"))
    }])
}

fn specified(specifier: Option<ClusterSpecifier>) -> pb::RouteAction {
    pb::RouteAction {
        cluster_specifier: specifier,
        ..Default::default()
    }
}

fn weights(weights: &[(&str, Option<u32>)]) -> pb::RouteAction {
    let entry = |&(name, weight): &(&str, Option<u32>)| ClusterWeight {
        name: name.to_owned(),
        weight,
        ..Default::default()
    };
    specified(Some(ClusterSpecifier::WeightedClusters(
        pb::WeightedCluster {
            clusters: weights.iter().map(entry).collect(),
            ..Default::default()
        },
    )))
}

#[test]
fn the_rules_of_matching_are_grpcs() {
    let config = route_config(GRPC, &routes(vec![to(forward("a"))]));
    assert_eq!(config.rules.lines, HeaderLines::Joined);
    assert!(config.rules.grpc_content_type && config.rules.draw_per_route);
    assert_eq!(config.name.as_str(), "routes");
}

#[test]
fn what_is_not_refused() {
    let empty = RouteConfiguration {
        name: "routes".to_owned(),
        ..Default::default()
    };
    assert!(route_config(GRPC, &empty).virtual_hosts.is_empty());

    let mut message = routes(vec![to(forward("a"))]);
    let domains = [
        "",
        "a*b",
        "*.a",
        "a.*",
        "*",
        "A.test",
        "*a*",
        "a.test",
        "\u{e4}*\u{e4}",
    ];
    message.virtual_hosts[0].domains = domains.map(str::to_owned).to_vec();
    message.virtual_hosts[0].name = String::new();
    message.ignore_port_in_host_matching = true;
    let config = route_config(GRPC, &message);
    let expected = ["*.a", "a.*", "*", "a.test", "*a*", "a.test"].map(DomainPattern::from);
    assert_eq!(config.virtual_hosts[0].domains, expected);
    assert!(!config.ignore_port);
    let at = "virtual_hosts[0].domains";
    let warnings = warnings(GRPC, &message);
    assert!(warnings.contains(&format!("{at}[1]: \"a*b\" is no domain pattern: left out")));
}

#[test]
fn paths() {
    let at = "virtual_hosts[0].routes[0].match";
    let unknown = [
        (None, format!("{at}: has no path_specifier")),
        (
            Some(PathSpecifier::ConnectMatcher(Default::default())),
            format!("{at}.connect_matcher: is not supported yet"),
        ),
        (
            Some(PathSpecifier::PathSeparatedPrefix("/a".to_owned())),
            format!("{at}.path_separated_prefix: is not supported"),
        ),
        (
            Some(PathSpecifier::PathMatchPolicy(Default::default())),
            format!("{at}.path_match_policy: is not supported yet"),
        ),
    ];
    for (specifier, expected) in unknown {
        assert_eq!(errors(GRPC, &path(specifier)), [expected]);
    }
    let message = routes(vec![pb::Route {
        r#match: None,
        ..to(forward("a"))
    }]);
    assert_eq!(
        errors(GRPC, &message),
        ["virtual_hosts[0].routes[0].match: is missing"]
    );
}

#[test]
fn conditions_that_are_ignored() {
    let message = routes(vec![pb::Route {
        r#match: Some(pb::RouteMatch {
            grpc: Some(Default::default()),
            tls_context: Some(Default::default()),
            dynamic_metadata: vec![Default::default()],
            filter_state: vec![Default::default()],
            cookies: vec![Default::default()],
            case_sensitive: Some(false),
            ..every_path()
        }),
        ..to(forward("a"))
    }]);
    let matches = decoded_routes(GRPC, &message).swap_remove(0).matches;
    assert!(!matches.grpc && !matches.case_sensitive);
    assert_eq!(warnings(GRPC, &message).len(), 5);
}

#[test]
fn fractions() {
    let fraction = |numerator, denominator| {
        let message = routes(vec![pb::Route {
            r#match: Some(pb::RouteMatch {
                runtime_fraction: Some(core::RuntimeFractionalPercent {
                    default_value: Some(FractionalPercent {
                        numerator,
                        denominator,
                    }),
                    runtime_key: "ignored".to_owned(),
                }),
                ..every_path()
            }),
            ..to(forward("a"))
        }]);
        let routes = decoded_routes(GRPC, &message);
        routes[0].matches.fraction.unwrap().millionths()
    };
    assert_eq!(fraction(25, 0), 250_000);
    assert_eq!(fraction(25, 1), 2_500);
    assert_eq!(fraction(25, 2), 25);
    assert_eq!(fraction(250, 0), 1_000_000);
}

#[test]
fn an_action_that_a_client_has_not_refuses_its_requests() {
    use pb::route::Action;
    for (action, name) in [
        (Some(Action::Redirect(Default::default())), "redirect"),
        (
            Some(Action::DirectResponse(Default::default())),
            "direct_response",
        ),
        (
            Some(Action::FilterAction(Default::default())),
            "filter_action",
        ),
        (
            Some(Action::NonForwardingAction(Default::default())),
            "non_forwarding_action",
        ),
        (None, "no action"),
    ] {
        let message = routes(vec![pb::Route {
            action,
            ..to(forward("a"))
        }]);
        let RouteAction::Refuse(reason) = &decoded_routes(GRPC, &message)[0].action else {
            panic!("{name} forwards");
        };
        assert!(reason.starts_with(name), "{reason}");
    }
}

#[test]
fn routes_without_a_known_cluster_are_left_out() {
    for specifier in [
        None,
        Some(ClusterSpecifier::ClusterHeader("x".to_owned())),
        Some(ClusterSpecifier::InlineClusterSpecifierPlugin(
            Default::default(),
        )),
    ] {
        let message = routes(vec![to(specified(specifier)), to(forward("a"))]);
        assert_eq!(decoded_routes(GRPC, &message).len(), 1);
        assert_eq!(warnings(GRPC, &message).len(), 1);
    }
    let nameless = routes(vec![to(forward(""))]);
    assert_eq!(
        errors(GRPC, &nameless),
        ["virtual_hosts[0].routes[0].route.cluster: is empty"]
    );
}

#[test]
fn plugins_must_be_declared_and_known_or_optional() {
    let through = |plugins| RouteConfiguration {
        cluster_specifier_plugins: plugins,
        ..routes(vec![to(specified(Some(
            ClusterSpecifier::ClusterSpecifierPlugin("rls".to_owned()),
        )))])
    };
    let plugin = |is_optional| pb::ClusterSpecifierPlugin {
        extension: Some(core::TypedExtensionConfig {
            name: "rls".to_owned(),
            typed_config: Some(Any::pack(&Cluster::default())),
        }),
        is_optional,
    };
    assert_eq!(
        errors(GRPC, &through(vec![])),
        ["virtual_hosts[0].routes[0].route.cluster_specifier_plugin: \"rls\" is not declared"]
    );
    assert_eq!(
        errors(GRPC, &through(vec![plugin(false)])),
        [format!(
            "cluster_specifier_plugins[0].extension.typed_config: {:?} is not a plugin known here",
            Cluster::TYPE_URL
        )]
    );
    assert!(decoded_routes(GRPC, &through(vec![plugin(true)])).is_empty());
}

#[test]
fn weighted_clusters() {
    let forward = forwarding(
        GRPC,
        weights(&[("a", Some(1)), ("", Some(0)), ("b", Some(3)), ("c", None)]),
    );
    let ClusterChoice::Weighted(weighted) = forward.cluster else {
        panic!()
    };
    let found: Vec<_> = weighted
        .clusters
        .iter()
        .map(|c| (c.name.as_str(), c.weight))
        .collect();
    assert_eq!(found, [("a", 1), ("b", 3)]);
    let at = "virtual_hosts[0].routes[0].route.weighted_clusters.clusters";
    let refused = |entries: &[_]| errors(GRPC, &routes(vec![to(weights(entries))]));
    assert_eq!(
        refused(&[]),
        [format!("{at}: have a sum of weights of zero")]
    );
    assert_eq!(
        refused(&[("a", Some(0)), ("b", None)]),
        [format!("{at}: have a sum of weights of zero")]
    );
    assert_eq!(
        refused(&[("a", Some(u32::MAX)), ("b", Some(1))]),
        [format!("{at}: have a sum of weights above 4,294,967,295")]
    );
    assert_eq!(
        refused(&[("", Some(1))]),
        [format!("{at}[0].name: is empty")]
    );
}

#[test]
fn timeouts() {
    let odd = pb::RouteAction {
        timeout: Some(Span {
            seconds: -1,
            nanos: 0,
        }),
        idle_timeout: Some(millis(1)),
        ..forward("a")
    };
    let plain = forwarding(GRPC, odd);
    assert_eq!(plain.timeout, None);
    assert_eq!(plain.stream.grpc_timeout, GrpcTimeoutRule::Always);
    assert_eq!(plain.stream.max_stream_duration, None);
    let limited = pb::RouteAction {
        max_stream_duration: Some(MaxStreamDuration {
            max_stream_duration: Some(millis(1_000)),
            grpc_timeout_header_max: Some(millis(0)),
            grpc_timeout_header_offset: Some(millis(5)),
        }),
        ..forward("a")
    };
    let stream = forwarding(GRPC, limited).stream;
    assert_eq!(stream.max_stream_duration, Some(Duration::from_secs(1)));
    assert_eq!(stream.grpc_timeout_max, Some(Duration::ZERO));
    assert_eq!(stream.grpc_timeout_offset, Duration::ZERO);
    let bad = pb::RouteAction {
        max_stream_duration: Some(MaxStreamDuration {
            max_stream_duration: Some(millis(-1)),
            grpc_timeout_header_max: Some(millis(-1)),
            grpc_timeout_header_offset: None,
        }),
        ..forward("a")
    };
    let at = "virtual_hosts[0].routes[0].route.max_stream_duration";
    assert_eq!(
        errors(GRPC, &routes(vec![to(bad)])),
        ["max_stream_duration", "grpc_timeout_header_max"]
            .map(|field| format!("{at}.{field}: is a negative duration"))
    );
}

#[test]
fn hash_policies_are_checked_and_unknown_ones_let_through() {
    use hash_policy::PolicySpecifier;
    let policy = |specifier| HashPolicy {
        policy_specifier: specifier,
        terminal: false,
    };
    let header = |pattern| {
        policy(Some(PolicySpecifier::Header(hash_policy::Header {
            header_name: "x".to_owned(),
            regex_rewrite: Some(RegexMatchAndSubstitute {
                pattern,
                substitution: String::new(),
            }),
        })))
    };
    let with = |policies| pb::RouteAction {
        hash_policy: policies,
        ..forward("a")
    };
    let cookie = PolicySpecifier::Cookie(Default::default());
    for dialect in BOTH {
        forwarding(
            dialect,
            with(vec![policy(Some(cookie.clone())), policy(None)]),
        );
        forwarding(dialect, with(vec![header(Some(regex("a")))]));
        let found = errors(
            dialect,
            &routes(vec![to(with(vec![header(Some(regex("(")))]))]),
        );
        let at = "virtual_hosts[0].routes[0].route.hash_policy[0].header.regex_rewrite.pattern";
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with(&format!("{at}.regex: invalid regex")),
            "{found:?}"
        );
        let found = errors(dialect, &routes(vec![to(with(vec![header(None)]))]));
        assert_eq!(found, [format!("{at}: is missing")]);
    }
}

#[test]
fn what_grpc_does_not_read_is_reported_and_changes_nothing() {
    let odd = pb::RouteAction {
        prefix_rewrite: "/".to_owned(),
        host_rewrite_specifier: Some(pb::route_action::HostRewriteSpecifier::AutoHostRewrite(
            true,
        )),
        request_mirror_policies: vec![Default::default()],
        ..forward("a")
    };
    let mut message = routes(vec![pb::Route {
        request_headers_to_remove: vec!["x".to_owned()],
        ..to(odd)
    }]);
    message.virtual_hosts[0].require_tls = 2;
    message.vhost_header = "x".to_owned();
    let found = decoded_routes(GRPC, &message);
    assert!(matches!(found[0].action, RouteAction::Forward(_)));
    assert_eq!(
        warnings(GRPC, &message),
        [
            "vhost_header",
            "virtual_hosts[0].require_tls",
            "virtual_hosts[0].routes[0].request_headers_to_remove",
            "virtual_hosts[0].routes[0].route.prefix_rewrite",
            "virtual_hosts[0].routes[0].route.auto_host_rewrite",
            "virtual_hosts[0].routes[0].route.request_mirror_policies",
        ]
        .map(|field| format!("{field}: is accepted but has no effect"))
    );
}

#[test]
fn all_errors_are_told_at_once() {
    let bad = pb::Route {
        r#match: None,
        ..to(forward("a"))
    };
    let message = routes(vec![bad, to(forward("")), to(weights(&[]))]);
    assert_eq!(errors(GRPC, &message).len(), 3);
}
