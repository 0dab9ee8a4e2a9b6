//! Listeners: gRFC A27, A31, A39.

use std::time::Duration;

use mesh_proto::envoy::{
    config::listener::v3::{ApiListener, Filter, FilterChain, FilterChainMatch, filter},
    extensions::filters::{
        http::router::v3::Router,
        network::http_connection_manager::v3::{
            HttpConnectionManager, HttpFilter, Rds, ScopedRoutes,
            http_connection_manager::RouteSpecifier, http_filter::ConfigType,
        },
    },
};

use mesh_core::config::ClientTimeouts;

use super::*;

pub(super) fn router() -> HttpFilter {
    HttpFilter {
        name: "router".to_owned(),
        config_type: Some(ConfigType::TypedConfig(Any::pack(&Router::default()))),
        ..Default::default()
    }
}

pub(super) fn manager() -> HttpConnectionManager {
    HttpConnectionManager {
        http_filters: vec![router()],
        route_specifier: Some(RouteSpecifier::Rds(Rds {
            config_source: Some(ads()),
            route_config_name: "routes".to_owned(),
        })),
        ..Default::default()
    }
}

pub(super) fn listener(manager: &HttpConnectionManager) -> Listener {
    Listener {
        name: "greeter".to_owned(),
        api_listener: Some(ApiListener {
            api_listener: Some(Any::pack(manager)),
        }),
        ..Default::default()
    }
}

pub(super) fn read(dialect: Dialect, manager: &HttpConnectionManager) -> ListenerResource {
    match accept(dialect, &listener(manager)).resource {
        Resource::Listener(listener) => ListenerResource::clone(&listener),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_listener_names_its_routes() {
    for dialect in BOTH {
        let decoded = read(dialect, &manager());
        assert_eq!(decoded.config.name.as_str(), "greeter");
        assert!(decoded.config.filters.is_empty());
        assert_eq!(decoded.routes, RouteSource::Rds("routes".into()));
        assert_eq!(decoded.max_stream_duration, None);
        let references = accept(dialect, &listener(&manager())).resource.references();
        assert_eq!(references.route_config, Some("routes".into()));
        assert!(references.clusters.is_empty() && references.endpoints.is_none());
    }
}

#[test]
fn a_listener_may_hold_its_routes() {
    let mut message = manager();
    message.route_specifier = Some(RouteSpecifier::RouteConfig(RouteConfiguration {
        name: String::new(),
        ..routes(vec![to(forward("one")), to(forward("two"))])
    }));
    for dialect in BOTH {
        let RouteSource::Inline(inline) = read(dialect, &message).routes else {
            panic!("not inline");
        };
        assert_eq!(inline.config.name.as_str(), "greeter");
        let references = accept(dialect, &listener(&message)).resource.references();
        let clusters: Vec<_> = references.clusters.iter().map(|c| c.as_str()).collect();
        assert_eq!(clusters, ["one", "two"]);
    }
    message.route_specifier = Some(RouteSpecifier::RouteConfig(routes(vec![
        pb::Route::default(),
    ])));
    assert_eq!(
        errors(Dialect::Grpc, &listener(&message)),
        ["api_listener.api_listener.route_config.virtual_hosts[0].routes[0].match: is missing"]
    );
}

fn socket_listener(chain: FilterChain) -> Listener {
    Listener {
        name: "greeter".to_owned(),
        address: Some(socket("10.0.0.1", 80)),
        filter_chains: vec![chain],
        ..Default::default()
    }
}

fn chain(manager: &HttpConnectionManager) -> FilterChain {
    FilterChain {
        filters: vec![Filter {
            name: "http".to_owned(),
            config_type: Some(filter::ConfigType::TypedConfig(Any::pack(manager))),
        }],
        ..Default::default()
    }
}

#[test]
fn a_socket_listener_is_not_for_clients_of_grpc() {
    assert_eq!(
        errors(Dialect::Grpc, &socket_listener(chain(&manager()))),
        ["api_listener: is missing: a client needs an API listener"]
    );
}

#[test]
fn in_dialect_envoy_a_sockets_only_connection_manager_will_do() {
    let expected = read(Dialect::Envoy, &manager());
    let chain = chain(&manager());
    let as_default = Listener {
        filter_chains: Vec::new(),
        default_filter_chain: Some(chain.clone()),
        ..socket_listener(chain.clone())
    };
    for message in [socket_listener(chain), as_default] {
        match accept(Dialect::Envoy, &message).resource {
            Resource::Listener(listener) => assert_eq!(*listener, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_socket_that_asks_for_more_is_not_served() {
    type Edit = fn(&mut Listener);
    let table: [(Edit, &str); 8] = [
        (
            |it| it.filter_chains.clear(),
            "filter_chains: is empty, and there is no api_listener",
        ),
        (
            |it| it.default_filter_chain = Some(FilterChain::default()),
            "filter_chains: has several chains to choose from, which is not supported yet",
        ),
        (
            |it| it.filter_chains[0].transport_socket = Some(core::TransportSocket::default()),
            "filter_chains[0].transport_socket: is not supported yet",
        ),
        (
            |it| {
                let only_tls = FilterChainMatch {
                    transport_protocol: "tls".to_owned(),
                    ..Default::default()
                };
                it.filter_chains[0].filter_chain_match = Some(only_tls);
            },
            "filter_chains[0].filter_chain_match: is not supported yet",
        ),
        (
            |it| it.filter_chains[0].use_proxy_proto = Some(true),
            "filter_chains[0].use_proxy_proto: is not supported yet",
        ),
        (
            |it| it.filter_chains[0].filters.insert(0, Filter::default()),
            "filter_chains[0].filters: must hold one filter, an HTTP connection manager",
        ),
        (
            |it| it.filter_chains[0].filters[0].config_type = None,
            "filter_chains[0].filters[0].typed_config: is missing",
        ),
        (
            |it| {
                let router = filter::ConfigType::TypedConfig(Any::pack(&Router::default()));
                it.filter_chains[0].filters[0].config_type = Some(router);
            },
            "filter_chains[0].filters[0].typed_config: expected \
             type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, \
             found \"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router\"",
        ),
    ];
    for (edit, expected) in table {
        let mut message = socket_listener(chain(&manager()));
        edit(&mut message);
        assert_eq!(errors(Dialect::Envoy, &message), [expected]);
    }
}

#[test]
fn an_api_listener_is_a_connection_manager() {
    let of = |any| Listener {
        name: "greeter".to_owned(),
        api_listener: Some(ApiListener { api_listener: any }),
        ..Default::default()
    };
    for dialect in BOTH {
        assert_eq!(
            errors(dialect, &of(None)),
            ["api_listener.api_listener: is missing"]
        );
        let found = errors(dialect, &of(Some(Any::pack(&Router::default()))));
        assert!(
            found[0].starts_with("api_listener.api_listener: expected "),
            "{found:?}"
        );
        let malformed = Any {
            value: vec![0xff; 3].into(),
            ..Any::pack(&manager())
        };
        let found = errors(dialect, &of(Some(malformed)));
        assert!(
            found[0].starts_with("api_listener.api_listener: malformed "),
            "{found:?}"
        );
    }
}

#[test]
fn routes_must_come_from_this_stream() {
    use self::core::config_source::ConfigSourceSpecifier as Source;
    let at = "api_listener.api_listener";
    let rds = |source, name: &str| {
        let specifier = RouteSpecifier::Rds(Rds {
            config_source: source,
            route_config_name: name.to_owned(),
        });
        listener(&HttpConnectionManager {
            route_specifier: Some(specifier),
            ..manager()
        })
    };
    let from = |source| {
        Some(core::ConfigSource {
            config_source_specifier: source,
            ..Default::default()
        })
    };
    for dialect in BOTH {
        accept(
            dialect,
            &rds(from(Some(Source::Self_(Default::default()))), "r"),
        );
        for (source, expected) in [
            (None, "is missing"),
            (
                from(None),
                "names no source: only ads and self are supported",
            ),
            (
                from(Some(Source::Path("x".to_owned()))),
                "is a path: only ads and self are supported",
            ),
            (
                from(Some(Source::ApiConfigSource(Default::default()))),
                "is an api_config_source: only ads and self are supported",
            ),
        ] {
            assert_eq!(
                errors(dialect, &rds(source, "r")),
                [format!("{at}.rds.config_source: {expected}")]
            );
        }
        assert_eq!(
            errors(dialect, &rds(Some(ads()), "")),
            [format!("{at}.rds.route_config_name: is empty")]
        );
        let mut message = manager();
        message.route_specifier = None;
        assert_eq!(
            errors(dialect, &listener(&message)),
            [format!("{at}: has neither rds nor route_config")]
        );
        message.route_specifier = Some(RouteSpecifier::ScopedRoutes(ScopedRoutes::default()));
        assert_eq!(
            errors(dialect, &listener(&message)),
            [format!("{at}.scoped_routes: is not supported")]
        );
    }
}

#[test]
fn the_clocks_of_clients_are_read() {
    let mut message = manager();
    message.stream_idle_timeout = Some(millis(0));
    message.request_headers_timeout = Some(millis(250));
    message.request_timeout = Some(millis(1500));
    message.common_http_protocol_options = Some(core::HttpProtocolOptions {
        idle_timeout: Some(millis(90_000)),
        ..Default::default()
    });
    let none = |dialect| read(dialect, &manager()).config.timeouts;
    for dialect in BOTH {
        let ms = |count| Some(Duration::from_millis(count));
        let expected = ClientTimeouts {
            idle: ms(90_000),
            stream_idle: ms(0),
            request_headers: ms(250),
            request: ms(1500),
        };
        assert_eq!(read(dialect, &message).config.timeouts, expected);
        assert_eq!(none(dialect), ClientTimeouts::default());
        let mut odd = manager();
        odd.request_timeout = Some(millis(-1000));
        assert_eq!(
            errors(dialect, &listener(&odd)),
            ["api_listener.api_listener.request_timeout: is a negative duration"]
        );
    }
}

#[test]
fn the_stream_limit_is_checked_and_reaches_routes_without_one() {
    let with = |limit| {
        let mut message = manager();
        message.common_http_protocol_options = Some(core::HttpProtocolOptions {
            max_stream_duration: Some(limit),
            ..Default::default()
        });
        message
    };
    let at = "api_listener.api_listener.common_http_protocol_options.max_stream_duration";
    for dialect in BOTH {
        let decoded = read(dialect, &with(millis(1500)));
        assert_eq!(
            decoded.max_stream_duration,
            Some(Duration::from_millis(1500))
        );
        for (seconds, nanos, expected) in [
            (-1, 0, "is a negative duration"),
            (0, -1, "is a negative duration"),
            (0, 1_000_000_000, "has nanos above 999,999,999"),
            (
                315_576_000_001,
                0,
                "is a duration of more than 10,000 years",
            ),
            (
                i64::MAX,
                i32::MAX,
                "is a duration of more than 10,000 years",
            ),
        ] {
            let message = listener(&with(Span { seconds, nanos }));
            assert_eq!(errors(dialect, &message), [format!("{at}: {expected}")]);
        }
    }
    let own = pb::RouteAction {
        max_stream_duration: Some(pb::route_action::MaxStreamDuration {
            max_stream_duration: Some(millis(0)),
            ..Default::default()
        }),
        ..forward("own")
    };
    let message = routes(vec![to(own), to(forward("other"))]);
    let Resource::RouteConfig(decoded) = accept(Dialect::Grpc, &message).resource else {
        panic!("not routes");
    };
    let limits = |config: &RouteConfig| -> Vec<_> {
        let routes = &config.virtual_hosts[0].routes;
        let limit = |route: &Arc<Route>| match &route.action {
            RouteAction::Forward(forward) => forward.stream.max_stream_duration,
            RouteAction::Refuse(_) => panic!("refused"),
        };
        routes.iter().map(limit).collect()
    };
    let second = Some(Duration::from_secs(1));
    assert_eq!(limits(&decoded.config), [Some(Duration::ZERO), None]);
    let merged = decoded.with_listener_defaults(second);
    assert_eq!(limits(&merged), [Some(Duration::ZERO), second]);
    assert_eq!(decoded.with_listener_defaults(None), decoded.config);
}

#[test]
fn grpc_refuses_managers_that_find_addresses_their_own_way() {
    let mut message = manager();
    message.xff_num_trusted_hops = 1;
    message.original_ip_detection_extensions = vec![Default::default()];
    let at = "api_listener.api_listener";
    assert_eq!(
        errors(Dialect::Grpc, &listener(&message)),
        [
            format!("{at}.xff_num_trusted_hops: must be zero"),
            format!("{at}.original_ip_detection_extensions: must be empty"),
        ]
    );
    assert_eq!(
        warnings(Dialect::Envoy, &listener(&message)),
        [
            format!("{at}.xff_num_trusted_hops: is accepted but has no effect"),
            format!("{at}.original_ip_detection_extensions: is accepted but has no effect"),
        ]
    );
}

#[test]
fn envoy_refuses_what_would_change_requests() {
    let mut message = manager();
    message.normalize_path = Some(true);
    message.strip_matching_host_port = true;
    message.via = "mesh".to_owned();
    let at = "api_listener.api_listener";
    assert_eq!(
        errors(Dialect::Envoy, &listener(&message)),
        ["normalize_path", "strip_matching_host_port", "via"]
            .map(|field| format!("{at}.{field}: is not supported yet"))
    );
    assert_eq!(warnings(Dialect::Grpc, &listener(&message)).len(), 3);
}
