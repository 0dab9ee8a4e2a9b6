//! HTTP filters and their overrides: gRFC A39, A33; Envoy's "HTTP filters" and "Fault injection".

use std::{collections::BTreeMap, time::Duration};

use mesh_core::config::{
    FaultAbort, FaultDelay, FilterConfig, FilterKind, FilterOverride, Fraction, HeaderMatchKind,
};
use mesh_proto::{
    envoy::{
        extensions::filters::{
            common::fault::v3::{FaultDelay as DelayMessage, fault_delay::FaultDelaySecifier},
            http::{
                fault::v3::{FaultAbort as AbortMessage, HttpFault, fault_abort::ErrorType},
                rbac::v3::Rbac,
                router::v3::Router,
            },
            network::http_connection_manager::v3::{HttpFilter, http_filter::ConfigType},
        },
        r#type::v3::FractionalPercent,
    },
    udpa,
    xds::r#type::v3::TypedStruct,
};

use super::{
    listener::{listener, manager, read, router},
    *,
};

const LIST: &str = "api_listener.api_listener.http_filters";
const CUSTOM: &str = "type.googleapis.com/example.Custom";

fn filter(name: &str, config: Any) -> HttpFilter {
    HttpFilter {
        name: name.to_owned(),
        config_type: Some(ConfigType::TypedConfig(config)),
        ..Default::default()
    }
}

fn chain(filters: Vec<HttpFilter>) -> Listener {
    let mut message = manager();
    message.http_filters = filters;
    listener(&message)
}

fn decoded(dialect: Dialect, filters: Vec<HttpFilter>) -> Vec<FilterConfig> {
    let mut message = manager();
    message.http_filters = filters;
    read(dialect, &message).config.filters
}

fn custom() -> Any {
    Any {
        type_url: CUSTOM.to_owned(),
        value: vec![1, 2, 3].into(),
    }
}

fn percent(numerator: u32) -> Option<FractionalPercent> {
    Some(FractionalPercent {
        numerator,
        denominator: 1,
    })
}

fn fault() -> HttpFault {
    HttpFault {
        delay: Some(DelayMessage {
            percentage: percent(5_000),
            fault_delay_secifier: Some(FaultDelaySecifier::FixedDelay(millis(20))),
        }),
        abort: Some(AbortMessage {
            percentage: percent(100),
            error_type: Some(ErrorType::GrpcStatus(14)),
            ..Default::default()
        }),
        max_active_faults: Some(3),
        ..Default::default()
    }
}

#[test]
fn chains_end_with_their_only_router() {
    for dialect in BOTH {
        for (filters, expected) in [
            (
                vec![],
                vec![format!("{LIST}: is empty: a chain ends with a router")],
            ),
            (
                vec![filter("fault", Any::pack(&fault()))],
                vec![format!("{LIST}[0]: is the last filter but not a router")],
            ),
            (
                vec![router(), filter("fault", Any::pack(&fault()))],
                vec![
                    format!("{LIST}[1]: is the last filter but not a router"),
                    format!("{LIST}[0]: is a router but not the last filter"),
                ],
            ),
            (
                vec![filter("first", Any::pack(&Router::default())), router()],
                vec![format!("{LIST}[0]: is a router but not the last filter")],
            ),
            (
                vec![filter("", Any::pack(&fault())), router()],
                vec![format!("{LIST}[0].name: is empty")],
            ),
            (
                vec![filter("router", Any::pack(&fault())), router()],
                vec![format!(
                    "{LIST}[1].name: \"router\" is the name of two filters"
                )],
            ),
            (
                vec![HttpFilter {
                    config_type: None,
                    ..router()
                }],
                vec![format!("{LIST}[0].typed_config: is missing")],
            ),
        ] {
            assert_eq!(errors(dialect, &chain(filters)), expected, "{dialect:?}");
        }
    }
}

#[test]
fn an_unknown_filter_is_refused_unless_it_is_optional() {
    // RBAC is known by name, but not for a client.
    let rbac = Any::pack(&Rbac::default());
    for dialect in BOTH {
        for config in [rbac.clone(), custom()] {
            let found = errors(dialect, &chain(vec![filter("x", config.clone()), router()]));
            let expected = format!(
                "{LIST}[0].typed_config: {:?} is not a filter known here",
                config.type_url
            );
            assert_eq!(found, [expected]);
            let optional = HttpFilter {
                is_optional: true,
                ..filter("x", config)
            };
            assert!(decoded(dialect, vec![optional.clone(), router()]).is_empty());
            // What is left out cannot be the last.
            assert!(decoded(dialect, vec![router(), optional]).is_empty());
        }
    }
}

#[test]
fn a_filter_of_the_program_is_kept_as_it_came() {
    let options = DecodeOptions::new(Dialect::Grpc).with_filters(|url| url == CUSTOM);
    let inner = mesh_proto::google::protobuf::Struct::default();
    let typed = TypedStruct {
        type_url: "elsewhere/example.Custom".to_owned(),
        value: Some(inner.clone()),
    };
    let old = udpa::r#type::v1::TypedStruct {
        type_url: CUSTOM.to_owned(),
        value: Some(inner),
    };
    for (config, bytes) in [
        (custom(), vec![1, 2, 3]),
        (Any::pack(&typed), vec![]),
        (Any::pack(&old), vec![]),
    ] {
        let message = chain(vec![filter("x", config), router()]);
        let decoded = decode(ResourceType::Listener, &Any::pack(&message), &options).unwrap();
        let Resource::Listener(listener) = decoded.resource else {
            panic!()
        };
        let expected = FilterKind::Custom {
            type_url: CUSTOM.into(),
            value: bytes.into(),
        };
        assert_eq!(listener.config.filters[0].kind, expected);
    }
}

#[test]
fn a_router_may_come_as_a_typed_struct_and_a_fault_may_not() {
    let typed = |url: &str| {
        Any::pack(&TypedStruct {
            type_url: url.to_owned(),
            value: None,
        })
    };
    for dialect in BOTH {
        decoded(dialect, vec![filter("router", typed(Router::TYPE_URL))]);
        let message = chain(vec![filter("fault", typed(HttpFault::TYPE_URL)), router()]);
        assert_eq!(
            errors(dialect, &message),
            [format!(
                "{LIST}[0].typed_config: must be an HTTPFault message, not a TypedStruct"
            )]
        );
    }
}

#[test]
fn a_fault_is_read() {
    for dialect in BOTH {
        let message = HttpFilter {
            disabled: true,
            ..filter("fault", Any::pack(&fault()))
        };
        let filters = decoded(dialect, vec![message, router()]);
        let [
            FilterConfig {
                name,
                kind: FilterKind::Fault(fault),
                disabled: true,
            },
        ] = filters.as_slice()
        else {
            panic!("{filters:?}");
        };
        assert_eq!(&**name, "fault");
        let delay = FaultDelay::Fixed(Duration::from_millis(20));
        assert_eq!(fault.delay, Some((delay, Fraction::new(1, 2))));
        assert_eq!(
            fault.abort,
            Some((FaultAbort::Grpc(14), Fraction::new(1, 100)))
        );
        assert_eq!(fault.max_active, Some(3));
        assert!(fault.headers.is_empty());
    }
}

fn read_fault(dialect: Dialect, fault: &HttpFault) -> mesh_core::config::FaultConfig {
    let filters = decoded(dialect, vec![filter("fault", Any::pack(fault)), router()]);
    match &filters[0].kind {
        FilterKind::Fault(fault) => fault.as_ref().clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn faults_from_headers_know_their_denominator() {
    let message = HttpFault {
        delay: Some(DelayMessage {
            percentage: percent(1),
            fault_delay_secifier: Some(FaultDelaySecifier::HeaderDelay(Default::default())),
        }),
        abort: Some(AbortMessage {
            error_type: Some(ErrorType::HeaderAbort(Default::default())),
            ..Default::default()
        }),
        ..Default::default()
    };
    for dialect in BOTH {
        let fault = read_fault(dialect, &message);
        let (delay, share) = fault.delay.unwrap();
        assert_eq!(
            delay,
            FaultDelay::Header {
                denominator: 10_000
            }
        );
        assert_eq!(share.millionths(), 100);
        // A share that is left out is none.
        let (abort, share) = fault.abort.unwrap();
        assert_eq!(abort, FaultAbort::Header { denominator: 100 });
        assert_eq!(share.millionths(), 0);
    }
}

#[test]
fn envoy_checks_faults_and_grpc_takes_them_as_they_are() {
    let at = format!("{LIST}[0].typed_config");
    let envoy_errors = |fault: &HttpFault| {
        errors(
            Dialect::Envoy,
            &chain(vec![filter("fault", Any::pack(fault)), router()]),
        )
    };
    let mut empty = HttpFault {
        delay: Some(DelayMessage::default()),
        ..Default::default()
    };
    assert_eq!(
        envoy_errors(&empty),
        [format!(
            "{at}.delay: has neither fixed_delay nor header_delay"
        )]
    );
    empty.abort = Some(AbortMessage::default());
    empty.delay = None;
    assert_eq!(
        envoy_errors(&empty),
        [format!(
            "{at}.abort: has none of http_status, grpc_status, header_abort"
        )]
    );
    let fault = read_fault(Dialect::Grpc, &empty);
    assert!(fault.delay.is_none() && fault.abort.is_none());

    let mut message = fault_with_status(700);
    assert_eq!(
        envoy_errors(&message),
        [format!(
            "{at}.abort.http_status: 700 is not within 200 to 599"
        )]
    );
    let read = read_fault(Dialect::Grpc, &message).abort.unwrap().0;
    assert_eq!(read, FaultAbort::Grpc(2));
    message = fault_with_status(503);
    message.upstream_cluster = "a".to_owned();
    message.downstream_nodes = vec!["b".to_owned()];
    assert_eq!(
        envoy_errors(&message),
        [
            format!("{at}.upstream_cluster: is not supported yet"),
            format!("{at}.downstream_nodes: is not supported yet"),
        ]
    );
    let read = read_fault(Dialect::Grpc, &message).abort.unwrap().0;
    assert_eq!(read, FaultAbort::Http(503));
}

fn fault_with_status(status: u32) -> HttpFault {
    HttpFault {
        abort: Some(AbortMessage {
            percentage: percent(1),
            error_type: Some(ErrorType::HttpStatus(status)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

#[test]
fn the_headers_of_a_fault_are_envoys() {
    let message = HttpFault {
        headers: vec![pb::HeaderMatcher {
            name: "x-end-user".to_owned(),
            ..Default::default()
        }],
        ..fault()
    };
    let headers = read_fault(Dialect::Envoy, &message).headers;
    assert_eq!(headers[0].kind, HeaderMatchKind::Present(true));
    assert!(read_fault(Dialect::Grpc, &message).headers.is_empty());
}

fn overrides(entries: &[(&str, Any)]) -> BTreeMap<String, Any> {
    let entry = |(name, any): &(&str, Any)| ((*name).to_owned(), any.clone());
    entries.iter().map(entry).collect()
}

fn wrapped(config: Option<Any>, is_optional: bool, disabled: bool) -> Any {
    Any::pack(&pb::FilterConfig {
        config,
        is_optional,
        disabled,
    })
}

#[test]
fn overrides_replace_turn_off_turn_on_or_are_left_out() {
    let mut route = to(forward("a"));
    route.typed_per_filter_config = overrides(&[
        ("replaced", Any::pack(&fault())),
        ("wrapped", wrapped(Some(Any::pack(&fault())), false, false)),
        ("off", wrapped(None, false, true)),
        ("on", wrapped(Some(Any::default()), false, false)),
        ("unknown", wrapped(Some(custom()), true, false)),
    ]);
    for dialect in BOTH {
        let routes = decoded_routes(dialect, &routes(vec![route.clone()]));
        let found = &routes[0].filter_overrides;
        for name in ["replaced", "wrapped"] {
            let replaced = found.get(name);
            assert!(matches!(
                replaced,
                Some(FilterOverride::Replace(FilterKind::Fault(_)))
            ));
        }
        assert_eq!(found.get("off"), Some(&FilterOverride::Disable));
        assert_eq!(found.get("on"), Some(&FilterOverride::Enable));
        assert_eq!(found.get("unknown"), None);
    }
}

#[test]
fn bad_overrides_are_named_in_every_scope() {
    let bad = overrides(&[
        ("a", custom()),
        ("b", wrapped(Some(custom()), false, false)),
        ("c", wrapped(None, false, false)),
        ("d", Any::pack(&Router::default())),
    ]);
    let expected = |at: &str| {
        let at = format!("{at}.typed_per_filter_config");
        vec![
            format!("{at}[\"a\"]: {CUSTOM:?} is not a filter known here"),
            format!("{at}[\"b\"].config: {CUSTOM:?} is not a filter known here"),
            format!("{at}[\"c\"].config: is missing"),
            format!("{at}[\"d\"]: a router takes no override"),
        ]
    };
    let host = "virtual_hosts[0]";
    for dialect in BOTH {
        let mut message = routes(vec![to(forward("a"))]);
        message.virtual_hosts[0].typed_per_filter_config = bad.clone();
        assert_eq!(errors(dialect, &message), expected(host));
        let mut route = to(forward("a"));
        route.typed_per_filter_config = bad.clone();
        assert_eq!(
            errors(dialect, &routes(vec![route])),
            expected(&format!("{host}.routes[0]"))
        );
        let weighted = pb::WeightedCluster {
            clusters: vec![pb::weighted_cluster::ClusterWeight {
                name: "a".to_owned(),
                weight: Some(1),
                typed_per_filter_config: bad.clone(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let action = pb::RouteAction {
            cluster_specifier: Some(ClusterSpecifier::WeightedClusters(weighted)),
            ..Default::default()
        };
        assert_eq!(
            errors(dialect, &routes(vec![to(action)])),
            expected(&format!(
                "{host}.routes[0].route.weighted_clusters.clusters[0]"
            ))
        );
    }
}

#[test]
fn overrides_of_the_whole_configuration_are_envoys() {
    let mut message = routes(vec![to(forward("a"))]);
    message.typed_per_filter_config = overrides(&[
        ("x", wrapped(None, false, true)),
        ("y", wrapped(None, false, true)),
    ]);
    message.virtual_hosts[0].typed_per_filter_config =
        overrides(&[("y", wrapped(Some(Any::default()), false, false))]);
    let found = |dialect| {
        let host = route_config(dialect, &message).virtual_hosts.swap_remove(0);
        let get = |name| host.filter_overrides.get(name).cloned();
        (get("x"), get("y"))
    };
    let (off, on) = (FilterOverride::Disable, FilterOverride::Enable);
    assert_eq!(found(Dialect::Envoy), (Some(off), Some(on.clone())));
    assert_eq!(found(Dialect::Grpc), (None, Some(on)));
}

#[test]
fn overrides_that_every_host_would_hold_are_bounded() {
    let mut message = routes(vec![to(forward("a"))]);
    let entry = |i| (format!("f{i}"), wrapped(None, false, true));
    message.typed_per_filter_config = (0..128).map(entry).collect();
    route_config(Dialect::Envoy, &message);
    message.typed_per_filter_config = (0..129).map(entry).collect();
    assert_eq!(
        errors(Dialect::Envoy, &message),
        ["typed_per_filter_config: has more than 128 entries"]
    );
    route_config(Dialect::Grpc, &message);
}
