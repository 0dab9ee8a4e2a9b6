// Included once for each crate, which brings `envoy`, `google`, the well-known types, and the two
// functions for wrapped scalars, whose fields have other types in each.

use prost::Message;

use envoy::config::cluster::v3 as cds;
use envoy::config::core::v3 as core;
use envoy::config::endpoint::v3 as eds;
use envoy::config::listener::v3 as lds;
use envoy::config::route::v3 as rds;
use envoy::extensions::filters::network::http_connection_manager::v3 as hcm;
use envoy::service::discovery::v3 as discovery;
use envoy::r#type::matcher::v3 as matcher;
use envoy::r#type::v3 as types;

const URL: &str = "type.googleapis.com/";

fn any(name: &str, message: &impl Message) -> Option<Any> {
    Some(Any {
        type_url: format!("{URL}{name}"),
        value: message.encode_to_vec().into(),
    })
}

fn text(value: &str) -> String {
    value.to_owned()
}

fn seconds(seconds: i64) -> Option<Duration> {
    Some(Duration {
        seconds,
        nanos: 250_000_000,
    })
}

fn ads() -> Option<core::ConfigSource> {
    Some(core::ConfigSource {
        resource_api_version: core::ApiVersion::V3 as i32,
        config_source_specifier: Some(core::config_source::ConfigSourceSpecifier::Ads(
            core::AggregatedConfigSource {},
        )),
        ..Default::default()
    })
}

fn metadata() -> Option<core::Metadata> {
    let value = |kind| Value { kind: Some(kind) };
    let list = google::protobuf::ListValue {
        values: vec![
            value(value::Kind::NumberValue(-1.5)),
            value(value::Kind::BoolValue(true)),
            value(value::Kind::NullValue(0)),
            value(value::Kind::StringValue(text("blue"))),
        ],
    };
    let fields = [(text("stage"), value(value::Kind::ListValue(list)))].into();
    Some(core::Metadata {
        filter_metadata: [(text("envoy.lb"), Struct { fields })].into(),
        ..Default::default()
    })
}

fn address(host: &str, port: u32) -> Option<core::Address> {
    Some(core::Address {
        address: Some(core::address::Address::SocketAddress(core::SocketAddress {
            address: text(host),
            port_specifier: Some(core::socket_address::PortSpecifier::PortValue(port)),
            ..Default::default()
        })),
    })
}

fn fraction(numerator: u32) -> types::FractionalPercent {
    let denominator = types::fractional_percent::DenominatorType::Million as i32;
    types::FractionalPercent {
        numerator,
        denominator,
    }
}

pub(crate) fn cluster() -> cds::Cluster {
    let mut extension = None;
    if let Some(options) = any(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        &http2(),
    ) {
        extension = Some((
            text("envoy.extensions.upstreams.http.v3.HttpProtocolOptions"),
            options,
        ));
    }
    cds::Cluster {
        name: text("greeter"),
        alt_stat_name: text("greeter_stats"),
        cluster_discovery_type: Some(cds::cluster::ClusterDiscoveryType::Type(
            cds::cluster::DiscoveryType::Eds as i32,
        )),
        eds_cluster_config: Some(cds::cluster::EdsClusterConfig {
            eds_config: ads(),
            service_name: text("greeter.default"),
        }),
        connect_timeout: seconds(3),
        per_connection_buffer_limit_bytes: uint32(65536),
        circuit_breakers: Some(circuit_breakers()),
        outlier_detection: Some(outlier_detection()),
        load_balancing_policy: Some(wrr_locality()),
        typed_extension_protocol_options: extension.into_iter().collect(),
        transport_socket: Some(mutual_tls()),
        metadata: metadata(),
        ..Default::default()
    }
}

fn circuit_breakers() -> cds::CircuitBreakers {
    let budget = cds::circuit_breakers::thresholds::RetryBudget {
        budget_percent: Some(types::Percent { value: 25.0 }),
        min_retry_concurrency: uint32(5),
        ..Default::default()
    };
    let threshold = |priority: core::RoutingPriority| cds::circuit_breakers::Thresholds {
        priority: priority as i32,
        max_connections: uint32(10),
        max_requests: uint32(1024),
        max_retries: uint32(0),
        retry_budget: Some(budget),
        track_remaining: true,
        ..Default::default()
    };
    cds::CircuitBreakers {
        thresholds: vec![
            threshold(core::RoutingPriority::Default),
            threshold(core::RoutingPriority::High),
        ],
        per_host_thresholds: vec![threshold(core::RoutingPriority::Default)],
    }
}

fn outlier_detection() -> cds::OutlierDetection {
    cds::OutlierDetection {
        interval: seconds(10),
        base_ejection_time: seconds(30),
        max_ejection_percent: uint32(50),
        enforcing_success_rate: uint32(0),
        success_rate_stdev_factor: uint32(1900),
        failure_percentage_threshold: uint32(85),
        max_ejection_time: seconds(300),
        successful_active_health_check_uneject_host: boolean(false),
        ..Default::default()
    }
}

fn wrr_locality() -> cds::LoadBalancingPolicy {
    use envoy::extensions::load_balancing_policies::ring_hash::v3::{RingHash, ring_hash};
    use envoy::extensions::load_balancing_policies::wrr_locality::v3::WrrLocality;

    let policy = |name: &str, config: Option<Any>| cds::LoadBalancingPolicy {
        policies: vec![cds::load_balancing_policy::Policy {
            typed_extension_config: Some(core::TypedExtensionConfig {
                name: text(name),
                typed_config: config,
            }),
        }],
    };
    let ring = RingHash {
        hash_function: ring_hash::HashFunction::XxHash as i32,
        minimum_ring_size: uint64(1024),
        ..Default::default()
    };
    let ring = any(
        "envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash",
        &ring,
    );
    let locality = WrrLocality {
        endpoint_picking_policy: Some(policy("ring", ring)),
    };
    let name = "envoy.extensions.load_balancing_policies.wrr_locality.v3.WrrLocality";
    policy("locality", any(name, &locality))
}

fn http2() -> envoy::extensions::upstreams::http::v3::HttpProtocolOptions {
    use envoy::extensions::upstreams::http::v3::{HttpProtocolOptions, http_protocol_options as o};

    let http2 = core::Http2ProtocolOptions {
        max_concurrent_streams: uint32(100),
        initial_stream_window_size: uint32(1 << 20),
        ..Default::default()
    };
    let protocol = o::explicit_http_config::ProtocolConfig::Http2ProtocolOptions(http2);
    HttpProtocolOptions {
        upstream_protocol_options: Some(o::UpstreamProtocolOptions::ExplicitHttpConfig(
            o::ExplicitHttpConfig {
                protocol_config: Some(protocol),
            },
        )),
        ..Default::default()
    }
}

fn mutual_tls() -> core::TransportSocket {
    use envoy::extensions::transport_sockets::tls::v3 as tls;

    let san = tls::SubjectAltNameMatcher {
        san_type: tls::subject_alt_name_matcher::SanType::Uri as i32,
        matcher: Some(string(matcher::string_matcher::MatchPattern::Prefix(text(
            "spiffe://a/",
        )))),
        ..Default::default()
    };
    let validation = tls::CertificateValidationContext {
        trusted_ca: Some(core::DataSource {
            specifier: Some(core::data_source::Specifier::InlineBytes(vec![0, 255, 128])),
            ..Default::default()
        }),
        match_typed_subject_alt_names: vec![san],
        ..Default::default()
    };
    let context = tls::UpstreamTlsContext {
        sni: text("greeter.example"),
        common_tls_context: Some(tls::CommonTlsContext {
            alpn_protocols: vec![text("h2")],
            tls_certificate_sds_secret_configs: vec![tls::SdsSecretConfig {
                name: text("own"),
                sds_config: ads(),
            }],
            validation_context_type: Some(
                tls::common_tls_context::ValidationContextType::ValidationContext(validation),
            ),
            ..Default::default()
        }),
        ..Default::default()
    };
    let name = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    core::TransportSocket {
        name: text("tls"),
        config_type: any(name, &context).map(core::transport_socket::ConfigType::TypedConfig),
    }
}

pub(crate) fn endpoints() -> eds::ClusterLoadAssignment {
    let health = [
        core::HealthStatus::Unknown,
        core::HealthStatus::Healthy,
        core::HealthStatus::Unhealthy,
        core::HealthStatus::Draining,
        core::HealthStatus::Degraded,
    ];
    let endpoint = |(port, health): (u32, core::HealthStatus)| eds::LbEndpoint {
        health_status: health as i32,
        load_balancing_weight: uint32(port + 1),
        metadata: metadata(),
        host_identifier: Some(eds::lb_endpoint::HostIdentifier::Endpoint(eds::Endpoint {
            address: address("10.0.0.1", port),
            hostname: text("one.greeter"),
            additional_addresses: vec![eds::endpoint::AdditionalAddress {
                address: address("::1", port),
            }],
            ..Default::default()
        })),
    };
    eds::ClusterLoadAssignment {
        cluster_name: text("greeter.default"),
        endpoints: vec![eds::LocalityLbEndpoints {
            locality: Some(core::Locality {
                region: text("r"),
                zone: text("z"),
                sub_zone: text("s"),
            }),
            lb_endpoints: (0..).zip(health).map(endpoint).collect(),
            load_balancing_weight: uint32(3),
            priority: 1,
            ..Default::default()
        }],
        policy: Some(eds::cluster_load_assignment::Policy {
            drop_overloads: vec![eds::cluster_load_assignment::policy::DropOverload {
                category: text("overload"),
                drop_percentage: Some(fraction(1000)),
            }],
            overprovisioning_factor: uint32(140),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn string(pattern: matcher::string_matcher::MatchPattern) -> matcher::StringMatcher {
    matcher::StringMatcher {
        ignore_case: true,
        match_pattern: Some(pattern),
    }
}

fn regex(regex: &str) -> matcher::RegexMatcher {
    let re2 = matcher::regex_matcher::GoogleRe2 {
        max_program_size: uint32(100),
    };
    matcher::RegexMatcher {
        regex: text(regex),
        engine_type: Some(matcher::regex_matcher::EngineType::GoogleRe2(re2)),
    }
}

fn strings() -> Vec<matcher::StringMatcher> {
    use matcher::string_matcher::MatchPattern;

    vec![
        string(MatchPattern::Exact(text("exact"))),
        string(MatchPattern::Prefix(text("prefix"))),
        string(MatchPattern::Suffix(text("suffix"))),
        string(MatchPattern::SafeRegex(regex("a+b"))),
        string(MatchPattern::Contains(text("contains"))),
    ]
}

fn paths() -> Vec<rds::route_match::PathSpecifier> {
    use rds::route_match::PathSpecifier;

    vec![
        PathSpecifier::Prefix(text("/")),
        PathSpecifier::Path(text("/greeter/Hello")),
        PathSpecifier::SafeRegex(regex("/v[0-9]+/.*")),
        PathSpecifier::ConnectMatcher(rds::route_match::ConnectMatcher {}),
        PathSpecifier::PathSeparatedPrefix(text("/api")),
        PathSpecifier::PathMatchPolicy(core::TypedExtensionConfig {
            name: text("template"),
            typed_config: any(
                "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
                &envoy::extensions::path::r#match::uri_template::v3::UriTemplateMatchConfig {
                    path_template: text("/users/{id}"),
                },
            ),
        }),
    ]
}

fn headers() -> Vec<rds::HeaderMatcher> {
    use rds::header_matcher::HeaderMatchSpecifier;

    let plain = [
        HeaderMatchSpecifier::ExactMatch(text("exact")),
        HeaderMatchSpecifier::SafeRegexMatch(regex(".*")),
        HeaderMatchSpecifier::RangeMatch(types::Int64Range {
            start: -10,
            end: i64::MAX,
        }),
        HeaderMatchSpecifier::PresentMatch(true),
        HeaderMatchSpecifier::PresentMatch(false),
        HeaderMatchSpecifier::PrefixMatch(text("prefix")),
        HeaderMatchSpecifier::SuffixMatch(text("suffix")),
        HeaderMatchSpecifier::ContainsMatch(text("contains")),
    ];
    let strings = strings().into_iter().map(HeaderMatchSpecifier::StringMatch);
    let header = |specifier| rds::HeaderMatcher {
        name: text("x-header"),
        invert_match: true,
        treat_missing_header_as_empty: true,
        header_match_specifier: Some(specifier),
    };
    plain.into_iter().chain(strings).map(header).collect()
}

fn query_parameters() -> Vec<rds::QueryParameterMatcher> {
    use rds::query_parameter_matcher::QueryParameterMatchSpecifier;

    let present = [QueryParameterMatchSpecifier::PresentMatch(true)];
    let strings = strings()
        .into_iter()
        .map(QueryParameterMatchSpecifier::StringMatch);
    let query = |specifier| rds::QueryParameterMatcher {
        name: text("page"),
        query_parameter_match_specifier: Some(specifier),
    };
    present.into_iter().chain(strings).map(query).collect()
}

fn dynamic_metadata() -> Vec<matcher::MetadataMatcher> {
    use matcher::value_matcher::MatchPattern;

    let exact = matcher::double_matcher::MatchPattern::Exact(0.5);
    let inner = matcher::ValueMatcher {
        match_pattern: Some(MatchPattern::BoolMatch(false)),
    };
    let one_of = matcher::list_matcher::MatchPattern::OneOf(Box::new(inner.clone()));
    let patterns = [
        MatchPattern::NullMatch(matcher::value_matcher::NullMatch {}),
        MatchPattern::DoubleMatch(matcher::DoubleMatcher {
            match_pattern: Some(exact),
        }),
        MatchPattern::StringMatch(strings().remove(0)),
        MatchPattern::BoolMatch(true),
        MatchPattern::PresentMatch(true),
        MatchPattern::ListMatch(Box::new(matcher::ListMatcher {
            match_pattern: Some(one_of),
        })),
        MatchPattern::OrMatch(matcher::OrMatcher {
            value_matchers: vec![inner],
        }),
    ];
    let segment = matcher::metadata_matcher::path_segment::Segment::Key(text("stage"));
    let metadata = |pattern| matcher::MetadataMatcher {
        filter: text("envoy.lb"),
        path: vec![matcher::metadata_matcher::PathSegment {
            segment: Some(segment.clone()),
        }],
        value: Some(matcher::ValueMatcher {
            match_pattern: Some(pattern),
        }),
        invert: true,
    };
    patterns.into_iter().map(metadata).collect()
}

fn full_match() -> rds::RouteMatch {
    rds::RouteMatch {
        case_sensitive: boolean(false),
        runtime_fraction: Some(core::RuntimeFractionalPercent {
            default_value: Some(fraction(250_000)),
            runtime_key: text("greeter.fraction"),
        }),
        headers: headers(),
        query_parameters: query_parameters(),
        cookies: vec![rds::CookieMatcher {
            name: text("session"),
            string_match: strings().pop(),
            invert_match: true,
        }],
        grpc: Some(rds::route_match::GrpcRouteMatchOptions {}),
        tls_context: Some(rds::route_match::TlsContextMatchOptions {
            presented: boolean(true),
            validated: boolean(false),
        }),
        dynamic_metadata: dynamic_metadata(),
        filter_state: vec![matcher::FilterStateMatcher {
            key: text("state"),
            matcher: strings()
                .pop()
                .map(matcher::filter_state_matcher::Matcher::StringMatch),
        }],
        path_specifier: Some(rds::route_match::PathSpecifier::Prefix(String::new())),
    }
}

fn forward() -> rds::RouteAction {
    use rds::route_action::{ClusterSpecifier, HashPolicy, hash_policy::PolicySpecifier};

    let weight = |name: &str, weight| rds::weighted_cluster::ClusterWeight {
        name: text(name),
        weight: uint32(weight),
        ..Default::default()
    };
    let cookie = rds::route_action::hash_policy::Cookie {
        name: text("session"),
        ttl: seconds(0),
        ..Default::default()
    };
    rds::RouteAction {
        cluster_specifier: Some(ClusterSpecifier::WeightedClusters(rds::WeightedCluster {
            clusters: vec![weight("blue", 90), weight("green", 10)],
            ..Default::default()
        })),
        timeout: seconds(15),
        retry_policy: Some(retry_policy()),
        hash_policy: vec![HashPolicy {
            terminal: true,
            policy_specifier: Some(PolicySpecifier::Cookie(cookie)),
        }],
        max_stream_duration: Some(rds::route_action::MaxStreamDuration {
            grpc_timeout_header_max: Some(Duration {
                seconds: 0,
                nanos: 0,
            }),
            ..Default::default()
        }),
        request_mirror_policies: vec![rds::route_action::RequestMirrorPolicy {
            cluster: text("shadow"),
            trace_sampled: boolean(false),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn retry_policy() -> rds::RetryPolicy {
    rds::RetryPolicy {
        retry_on: text("unavailable,cancelled"),
        num_retries: uint32(2),
        per_try_timeout: seconds(1),
        retry_back_off: Some(rds::retry_policy::RetryBackOff {
            base_interval: seconds(0),
            max_interval: seconds(5),
        }),
        retriable_status_codes: vec![502, 503],
        host_selection_retry_max_attempts: -1,
        ..Default::default()
    }
}

pub(crate) fn routes() -> rds::RouteConfiguration {
    use rds::route::Action;

    let redirect = rds::RedirectAction {
        port_redirect: 8443,
        response_code: rds::redirect_action::RedirectResponseCode::PermanentRedirect as i32,
        scheme_rewrite_specifier: Some(
            rds::redirect_action::SchemeRewriteSpecifier::HttpsRedirect(true),
        ),
        ..Default::default()
    };
    let actions = [
        Action::Route(forward()),
        Action::Redirect(redirect),
        Action::DirectResponse(rds::DirectResponseAction {
            status: 404,
            ..Default::default()
        }),
        Action::NonForwardingAction(rds::NonForwardingAction {}),
    ];
    let route = |(r#match, action): (rds::RouteMatch, Action)| rds::Route {
        r#match: Some(r#match),
        action: Some(action),
        ..Default::default()
    };
    let matches = paths().into_iter().map(|path| rds::RouteMatch {
        path_specifier: Some(path),
        ..Default::default()
    });
    let matches = std::iter::once(full_match()).chain(matches);
    rds::RouteConfiguration {
        name: text("routes"),
        virtual_hosts: vec![rds::VirtualHost {
            name: text("all"),
            domains: vec![text("*"), text("*.example")],
            routes: matches
                .zip(actions.into_iter().cycle())
                .map(route)
                .collect(),
            include_request_attempt_count: true,
            request_headers_to_add: vec![core::HeaderValueOption {
                header: Some(core::HeaderValue {
                    key: text("x-added"),
                    value: text("1"),
                    ..Default::default()
                }),
                append_action: core::header_value_option::HeaderAppendAction::AddIfAbsent as i32,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn manager(route_specifier: hcm::http_connection_manager::RouteSpecifier) -> Option<Any> {
    use envoy::config::rbac::v3 as rbac;
    use envoy::extensions::filters::http::{fault, rbac::v3::Rbac, router};

    let filter = |name: &str, config: Option<Any>| hcm::HttpFilter {
        name: text(name),
        config_type: config.map(hcm::http_filter::ConfigType::TypedConfig),
        ..Default::default()
    };
    let abort = fault::v3::FaultAbort {
        percentage: Some(fraction(10)),
        error_type: Some(fault::v3::fault_abort::ErrorType::GrpcStatus(14)),
        ..Default::default()
    };
    let fault = fault::v3::HttpFault {
        abort: Some(abort),
        ..Default::default()
    };
    let policy = rbac::Policy {
        permissions: vec![rbac::Permission {
            rule: Some(rbac::permission::Rule::AndRules(rbac::permission::Set {
                rules: vec![rbac::Permission {
                    rule: Some(rbac::permission::Rule::Header(headers().remove(0))),
                }],
            })),
        }],
        principals: vec![rbac::Principal {
            identifier: Some(rbac::principal::Identifier::NotId(Box::new(
                rbac::Principal {
                    identifier: Some(rbac::principal::Identifier::Any(true)),
                },
            ))),
        }],
        ..Default::default()
    };
    let rules = rbac::Rbac {
        action: rbac::rbac::Action::Deny as i32,
        policies: [(text("nobody"), policy)].into(),
        ..Default::default()
    };
    let rbac = Rbac {
        rules: Some(rules),
        ..Default::default()
    };
    let router = router::v3::Router {
        suppress_envoy_headers: true,
        ..Default::default()
    };
    let manager = hcm::HttpConnectionManager {
        stat_prefix: text("in"),
        http_filters: vec![
            filter(
                "fault",
                any("envoy.extensions.filters.http.fault.v3.HTTPFault", &fault),
            ),
            filter(
                "rbac",
                any("envoy.extensions.filters.http.rbac.v3.RBAC", &rbac),
            ),
            filter(
                "router",
                any("envoy.extensions.filters.http.router.v3.Router", &router),
            ),
        ],
        common_http_protocol_options: Some(core::HttpProtocolOptions {
            max_stream_duration: seconds(60),
            ..Default::default()
        }),
        use_remote_address: boolean(true),
        xff_num_trusted_hops: 1,
        route_specifier: Some(route_specifier),
        ..Default::default()
    };
    let package = "envoy.extensions.filters.network.http_connection_manager.v3";
    any(&format!("{package}.HttpConnectionManager"), &manager)
}

pub(crate) fn server_listener() -> lds::Listener {
    use hcm::http_connection_manager::RouteSpecifier;

    let chain = lds::FilterChain {
        name: text("plain"),
        filter_chain_match: Some(lds::FilterChainMatch {
            destination_port: uint32(8080),
            prefix_ranges: vec![core::CidrRange {
                address_prefix: text("10.0.0.0"),
                prefix_len: uint32(8),
            }],
            source_type: lds::filter_chain_match::ConnectionSourceType::External as i32,
            source_ports: vec![1, 65535],
            server_names: vec![text("*.example")],
            application_protocols: vec![text("h2")],
            ..Default::default()
        }),
        filters: vec![lds::Filter {
            name: text("http"),
            config_type: manager(RouteSpecifier::RouteConfig(routes()))
                .map(lds::filter::ConfigType::TypedConfig),
        }],
        ..Default::default()
    };
    lds::Listener {
        name: text("server"),
        address: address("0.0.0.0", 8080),
        default_filter_chain: Some(chain.clone()),
        filter_chains: vec![chain],
        use_original_dst: boolean(false),
        traffic_direction: core::TrafficDirection::Inbound as i32,
        ..Default::default()
    }
}

pub(crate) fn api_listener() -> lds::Listener {
    use hcm::http_connection_manager::RouteSpecifier;

    let rds = hcm::Rds {
        config_source: ads(),
        route_config_name: text("routes"),
    };
    let api_listener = manager(RouteSpecifier::Rds(rds));
    lds::Listener {
        name: text("greeter"),
        api_listener: Some(lds::ApiListener { api_listener }),
        ..Default::default()
    }
}

fn node() -> Option<core::Node> {
    Some(core::Node {
        id: text("node"),
        cluster: text("tests"),
        client_features: vec![text("envoy.lb.does_not_support_overprovisioning")],
        user_agent_version_type: Some(core::node::UserAgentVersionType::UserAgentVersion(text(
            "1.0",
        ))),
        metadata: metadata().and_then(|metadata| metadata.filter_metadata.into_values().next()),
        ..Default::default()
    })
}

fn rejection() -> Option<google::rpc::Status> {
    Some(google::rpc::Status {
        code: 3,
        message: text("name: empty"),
        details: Vec::new(),
    })
}

pub(crate) fn request() -> discovery::DiscoveryRequest {
    discovery::DiscoveryRequest {
        version_info: text("41"),
        node: node(),
        resource_names: vec![text("greeter"), text("billing")],
        type_url: format!("{URL}envoy.config.cluster.v3.Cluster"),
        response_nonce: text("n1"),
        error_detail: rejection(),
        ..Default::default()
    }
}

pub(crate) fn delta_request() -> discovery::DeltaDiscoveryRequest {
    discovery::DeltaDiscoveryRequest {
        node: node(),
        type_url: format!("{URL}envoy.config.cluster.v3.Cluster"),
        resource_names_subscribe: vec![text("greeter")],
        resource_names_unsubscribe: vec![text("billing")],
        initial_resource_versions: [(text("greeter"), text("41"))].into(),
        response_nonce: text("n1"),
        error_detail: rejection(),
        ..Default::default()
    }
}

pub(crate) fn response() -> discovery::DiscoveryResponse {
    let resources = [
        any("envoy.config.cluster.v3.Cluster", &cluster()),
        any("envoy.config.listener.v3.Listener", &api_listener()),
    ];
    discovery::DiscoveryResponse {
        version_info: text("42"),
        resources: resources.into_iter().flatten().collect(),
        canary: true,
        type_url: format!("{URL}envoy.config.cluster.v3.Cluster"),
        nonce: text("n2"),
        control_plane: Some(core::ControlPlane {
            identifier: text("cp"),
        }),
        ..Default::default()
    }
}

pub(crate) fn delta_response() -> discovery::DeltaDiscoveryResponse {
    discovery::DeltaDiscoveryResponse {
        system_version_info: text("42"),
        resources: vec![discovery::Resource {
            name: text("greeter.default"),
            version: text("7"),
            aliases: vec![text("greeter")],
            resource: any(
                "envoy.config.endpoint.v3.ClusterLoadAssignment",
                &endpoints(),
            ),
            ttl: seconds(30),
            ..Default::default()
        }],
        type_url: format!("{URL}envoy.config.endpoint.v3.ClusterLoadAssignment"),
        removed_resources: vec![text("billing.default")],
        nonce: text("n3"),
        ..Default::default()
    }
}
