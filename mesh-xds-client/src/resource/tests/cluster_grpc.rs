//! Clusters in dialect grpc: gRFC A27, A29, A32, A37, A47, A50, A75, A105.

use std::time::Duration;

use mesh_core::config::{Discovery, Http2Config, Limits, Protocol, Transport};
use mesh_proto::envoy::{
    config::{
        cluster::v3::{
            CircuitBreakers, OutlierDetection,
            circuit_breakers::Thresholds,
            cluster::{ClusterDiscoveryType, CustomClusterType, DiscoveryType},
        },
        endpoint::v3::{Endpoint, LbEndpoint, LocalityLbEndpoints, lb_endpoint::HostIdentifier},
    },
    extensions::{
        clusters::aggregate::v3::ClusterConfig as Aggregate,
        transport_sockets::{
            raw_buffer::v3::RawBuffer,
            tls::v3::{
                CertificateProviderPluginInstance, CertificateValidationContext, CommonTlsContext,
                UpstreamTlsContext, common_tls_context::ValidationContextType,
            },
        },
    },
};

use super::*;

const GRPC: Dialect = Dialect::Grpc;

pub(super) fn of_type(kind: DiscoveryType) -> Cluster {
    Cluster {
        cluster_discovery_type: Some(ClusterDiscoveryType::Type(kind as i32)),
        ..eds()
    }
}

pub(super) fn at_hosts(hosts: &[&[(&str, u32)]]) -> ClusterLoadAssignment {
    let endpoint = |&(name, port): &(&str, u32)| LbEndpoint {
        host_identifier: Some(HostIdentifier::Endpoint(Endpoint {
            address: Some(socket(name, port)),
            ..Default::default()
        })),
        ..Default::default()
    };
    ClusterLoadAssignment {
        cluster_name: "greeter".to_owned(),
        endpoints: hosts
            .iter()
            .map(|hosts| LocalityLbEndpoints {
                lb_endpoints: hosts.iter().map(endpoint).collect(),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    }
}

pub(super) fn custom(name: &str, typed_config: Option<Any>) -> Cluster {
    Cluster {
        cluster_discovery_type: Some(ClusterDiscoveryType::ClusterType(CustomClusterType {
            name: name.to_owned(),
            typed_config,
        })),
        ..eds()
    }
}

pub(super) fn wrapped_in(name: &str, config: &impl TypeUrl) -> Cluster {
    Cluster {
        transport_socket: Some(core::TransportSocket {
            name: name.to_owned(),
            config_type: Some(core::transport_socket::ConfigType::TypedConfig(Any::pack(
                config,
            ))),
        }),
        ..eds()
    }
}

#[test]
fn defaults() {
    let config = cluster(GRPC, &eds());
    assert_eq!(
        config,
        ClusterConfig {
            limits: Limits {
                max_connections: u32::MAX,
                max_pending_requests: u32::MAX,
                max_requests: 1024,
                max_retries: u32::MAX,
                retry_budget: None,
            },
            ..ClusterConfig::new("greeter", Discovery::Eds("greeter".into()), GRPC)
        }
    );
    let references = accept(GRPC, &eds()).resource.references();
    assert_eq!(references.endpoints.as_deref(), Some("greeter"));
}

#[test]
fn connections_are_grpcs_own() {
    let mut message = eds();
    message.connect_timeout = Some(millis(-1));
    message.max_requests_per_connection = Some(3);
    message.http_protocol_options = Some(Default::default());
    let config = cluster(GRPC, &message);
    assert_eq!(config.connect_timeout, Duration::from_secs(20));
    assert_eq!(config.protocol, Protocol::Http2(Http2Config::default()));
    assert_eq!(config.max_requests_per_connection, None);
    let key = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    message.typed_extension_protocol_options =
        [(key.to_owned(), Any::pack(&Cluster::default()))].into();
    let found = errors(GRPC, &message);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with(&format!(
            "typed_extension_protocol_options[{key:?}]: expected "
        )),
        "{found:?}"
    );
}

#[test]
fn eds_clusters() {
    let mut message = eds();
    let config = message.eds_cluster_config.as_mut().unwrap();
    config.service_name = "service".to_owned();
    let found = cluster(GRPC, &message).discovery;
    assert_eq!(found, Discovery::Eds("service".into()));
    message.name = "xdstp://authority/cluster".to_owned();
    cluster(GRPC, &message);
    for dialect in BOTH {
        let mut message = message.clone();
        message
            .eds_cluster_config
            .as_mut()
            .unwrap()
            .service_name
            .clear();
        assert_eq!(
            errors(dialect, &message),
            ["eds_cluster_config.service_name: is missing: an xdstp: cluster needs one"]
        );
        message.name = "greeter".to_owned();
        message.eds_cluster_config = None;
        assert_eq!(
            errors(dialect, &message),
            ["eds_cluster_config.eds_config: is missing"]
        );
    }
}

#[test]
fn endpoints_come_from_this_stream() {
    use self::core::config_source::ConfigSourceSpecifier as Source;
    let with = |source| {
        let mut message = eds();
        let config = message.eds_cluster_config.as_mut().unwrap();
        config.eds_config = Some(core::ConfigSource {
            config_source_specifier: source,
            ..Default::default()
        });
        message
    };
    for dialect in BOTH {
        cluster(dialect, &with(Some(Source::Self_(Default::default()))));
        for (source, expected) in [
            (None, "names no source"),
            (Some(Source::Path("x".to_owned())), "is a path"),
            (
                Some(Source::ApiConfigSource(Default::default())),
                "is an api_config_source",
            ),
        ] {
            let expected = format!(
                "eds_cluster_config.eds_config: {expected}: only ads and self are supported"
            );
            assert_eq!(errors(dialect, &with(source)), [expected]);
        }
    }
}

#[test]
fn other_types_are_refused() {
    for (kind, name) in [
        (DiscoveryType::Static, "STATIC"),
        (DiscoveryType::StrictDns, "STRICT_DNS"),
        (DiscoveryType::OriginalDst, "ORIGINAL_DST"),
    ] {
        assert_eq!(
            errors(GRPC, &of_type(kind)),
            [format!("type: {name} is not supported in dialect grpc")]
        );
    }
    let message = Cluster {
        cluster_discovery_type: None,
        ..eds()
    };
    assert_eq!(
        errors(GRPC, &message),
        ["type: STATIC is not supported in dialect grpc"]
    );
    let message = Cluster {
        cluster_discovery_type: Some(ClusterDiscoveryType::Type(9)),
        ..eds()
    };
    assert_eq!(errors(GRPC, &message), ["type: is not a known value"]);
    let message = custom("x", Some(Any::pack(&Cluster::default())));
    assert_eq!(
        errors(GRPC, &message),
        [format!(
            "cluster_type.typed_config: {:?} is not supported",
            Cluster::TYPE_URL
        )]
    );
    assert_eq!(
        errors(GRPC, &custom("x", None)),
        ["cluster_type.typed_config: is missing"]
    );
}

#[test]
fn logical_dns_clusters() {
    let with = |assignment| Cluster {
        load_assignment: assignment,
        ..of_type(DiscoveryType::LogicalDns)
    };
    for dialect in BOTH {
        let found = cluster(dialect, &with(Some(at_hosts(&[&[("greeter.test", 80)]])))).discovery;
        let expected = Discovery::Dns {
            hosts: vec![("greeter.test".into(), 80)],
            logical: true,
        };
        assert_eq!(found, expected);
        let one = ("a", 80);
        let mut named = at_hosts(&[&[one]]);
        let host = &mut named.endpoints[0].lb_endpoints[0].host_identifier;
        let Some(HostIdentifier::Endpoint(endpoint)) = host else {
            panic!()
        };
        let address = &mut endpoint.address.as_mut().unwrap().address;
        let Some(core::address::Address::SocketAddress(socket)) = address else {
            panic!()
        };
        socket.resolver_name = "x".to_owned();
        let mut nowhere = at_hosts(&[&[one]]);
        nowhere.endpoints[0].lb_endpoints[0].host_identifier = None;
        let list = "load_assignment.endpoints";
        let at = format!("{list}[0].lb_endpoints[0].endpoint.address");
        for (assignment, expected) in [
            (None, "load_assignment: is missing".to_owned()),
            (
                Some(at_hosts(&[])),
                format!("{list}: must be one locality, not 0"),
            ),
            (
                Some(at_hosts(&[&[one], &[one]])),
                format!("{list}: must be one locality, not 2"),
            ),
            (
                Some(at_hosts(&[&[one, one]])),
                format!("{list}[0].lb_endpoints: must be one endpoint, not 2"),
            ),
            (
                Some(at_hosts(&[&[("", 80)]])),
                format!("{at}.socket_address.address: is empty"),
            ),
            (
                Some(at_hosts(&[&[("a", 70_000)]])),
                format!("{at}.socket_address.port_value: 70000 is not a port"),
            ),
            (
                Some(named),
                format!("{at}.socket_address.resolver_name: is not supported"),
            ),
            (Some(nowhere), format!("{at}: must be a socket_address")),
        ] {
            assert_eq!(errors(dialect, &with(assignment)), [expected]);
        }
    }
}

#[test]
fn aggregate_clusters() {
    let name = "envoy.clusters.aggregate";
    let of = |clusters: &[&str]| {
        let clusters = clusters.iter().map(|&name| name.to_owned()).collect();
        custom(name, Some(Any::pack(&Aggregate { clusters })))
    };
    for dialect in BOTH {
        let message = of(&["b", "a", "b"]);
        let found = cluster(dialect, &message).discovery;
        assert_eq!(
            found,
            Discovery::Aggregate(["b", "a", "b"].map(Into::into).to_vec())
        );
        let leaves = accept(dialect, &message).resource.references().clusters;
        assert_eq!(leaves.len(), 2);
        assert_eq!(
            errors(dialect, &of(&[])),
            ["cluster_type.typed_config.clusters: is empty"]
        );
        assert_eq!(
            errors(dialect, &of(&["a", ""])),
            ["cluster_type.typed_config.clusters[1]: is empty"]
        );
        let other = errors(dialect, &custom(name, Some(Any::pack(&Cluster::default()))));
        assert!(
            other[0].starts_with("cluster_type.typed_config: expected "),
            "{other:?}"
        );
    }
}

#[test]
fn circuit_breakers() {
    let threshold = |priority, max_requests| Thresholds {
        priority,
        max_requests,
        max_connections: Some(1),
        max_retries: Some(1),
        ..Default::default()
    };
    let with = |thresholds| Cluster {
        circuit_breakers: Some(CircuitBreakers {
            thresholds,
            ..Default::default()
        }),
        ..eds()
    };
    let limits = |thresholds| cluster(GRPC, &with(thresholds)).limits;
    assert_eq!(limits(vec![threshold(1, Some(5))]).max_requests, 1024);
    assert_eq!(limits(vec![threshold(0, None)]).max_requests, 1024);
    let found = limits(vec![
        threshold(1, Some(5)),
        threshold(0, Some(6)),
        threshold(0, Some(7)),
    ]);
    assert_eq!(found.max_requests, 6);
    assert_eq!(
        (found.max_connections, found.max_retries),
        (u32::MAX, u32::MAX)
    );
    let mut message = with(vec![]);
    message
        .circuit_breakers
        .as_mut()
        .unwrap()
        .per_host_thresholds = vec![Thresholds {
        max_connections: Some(0),
        ..Default::default()
    }];
    assert_eq!(
        errors(GRPC, &message),
        ["circuit_breakers.per_host_thresholds[0].max_connections: must be at least 1"]
    );
}

#[test]
fn outlier_detection_is_checked() {
    let message = Cluster {
        outlier_detection: Some(OutlierDetection {
            interval: Some(millis(-1)),
            base_ejection_time: Some(Span {
                seconds: 0,
                nanos: 1_000_000_000,
            }),
            max_ejection_time: Some(Span {
                seconds: i64::MAX,
                nanos: 0,
            }),
            max_ejection_percent: Some(101),
            enforcing_success_rate: Some(101),
            failure_percentage_threshold: Some(101),
            enforcing_failure_percentage: Some(101),
            enforcing_consecutive_5xx: Some(101),
            ..Default::default()
        }),
        ..eds()
    };
    assert_eq!(
        errors(GRPC, &message),
        [
            "interval: is a negative duration",
            "base_ejection_time: has nanos above 999,999,999",
            "max_ejection_time: is a duration of more than 10,000 years",
            "max_ejection_percent: is above 100",
            "enforcing_success_rate: is above 100",
            "failure_percentage_threshold: is above 100",
            "enforcing_failure_percentage: is above 100",
        ]
        .map(|error| format!("outlier_detection.{error}"))
    );
    let message = Cluster {
        outlier_detection: Some(OutlierDetection {
            interval: Some(millis(0)),
            ..Default::default()
        }),
        ..eds()
    };
    cluster(GRPC, &message);
}

#[test]
fn load_reports_go_to_the_server_itself() {
    let with = |source| Cluster {
        lrs_server: Some(source),
        ..eds()
    };
    assert_eq!(errors(GRPC, &with(ads())), ["lrs_server: must be self"]);
    cluster(Dialect::Envoy, &with(ads()));
    let own = core::config_source::ConfigSourceSpecifier::Self_(Default::default());
    cluster(
        GRPC,
        &with(core::ConfigSource {
            config_source_specifier: Some(own),
            ..Default::default()
        }),
    );
}

fn provider(name: &str) -> CertificateProviderPluginInstance {
    CertificateProviderPluginInstance {
        instance_name: name.to_owned(),
        ..Default::default()
    }
}

fn tls(context: CertificateValidationContext) -> UpstreamTlsContext {
    UpstreamTlsContext {
        common_tls_context: Some(CommonTlsContext {
            validation_context_type: Some(ValidationContextType::ValidationContext(context)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn trusting(name: &str) -> CertificateValidationContext {
    CertificateValidationContext {
        ca_certificate_provider_instance: Some(provider(name)),
        ..Default::default()
    }
}

const TLS: &str = "envoy.transport_sockets.tls";

#[test]
fn tls_is_never_plaintext() {
    for dialect in BOTH {
        let found = cluster(dialect, &wrapped_in(TLS, &tls(trusting("x")))).transport;
        assert_eq!(
            found,
            Transport::Unsupported("TLS to endpoints is not supported yet".into())
        );
        let raw = wrapped_in("envoy.transport_sockets.raw_buffer", &RawBuffer {});
        assert_eq!(cluster(dialect, &raw).transport, Transport::Plaintext);
        let mut missing = raw.clone();
        missing.transport_socket.as_mut().unwrap().config_type = None;
        assert_eq!(
            errors(dialect, &missing),
            ["transport_socket.typed_config: is missing"]
        );
    }
    assert_eq!(
        errors(GRPC, &wrapped_in("tls", &tls(trusting("x")))),
        [format!("transport_socket.name: is \"tls\", not {TLS}")]
    );
    let other = wrapped_in(TLS, &Cluster::default());
    assert_eq!(
        errors(GRPC, &other),
        [format!(
            "transport_socket.typed_config: is {:?}, not an UpstreamTlsContext",
            Cluster::TYPE_URL
        )]
    );
    let found = cluster(Dialect::Envoy, &other).transport;
    assert!(matches!(found, Transport::Unsupported(name) if name.contains("v3.Cluster")));
}

#[test]
fn tls_contexts_are_checked() {
    let at = "transport_socket.typed_config";
    let common = format!("{at}.common_tls_context");
    let refused = |context: &UpstreamTlsContext| errors(GRPC, &wrapped_in(TLS, context));
    assert_eq!(
        refused(&UpstreamTlsContext::default()),
        [format!("{common}: is missing")]
    );
    let bare = UpstreamTlsContext {
        common_tls_context: Some(CommonTlsContext::default()),
        ..Default::default()
    };
    assert_eq!(
        refused(&bare),
        [format!("{common}: has no source of CA certificates")]
    );
    assert_eq!(
        refused(&tls(CertificateValidationContext::default())),
        [format!(
            "{common}.validation_context: has no source of CA certificates"
        )]
    );
    let mut context = tls(trusting("x"));
    context.sni = "x".repeat(256);
    let inner = context.common_tls_context.as_mut().unwrap();
    inner.tls_params = Some(Default::default());
    inner.custom_handshaker = Some(Default::default());
    inner.tls_certificate_sds_secret_configs = vec![Default::default()];
    inner.tls_certificates = vec![Default::default()];
    assert_eq!(
        refused(&context),
        [
            format!("{at}.sni: is longer than 255 bytes"),
            format!("{common}.tls_params: is not supported"),
            format!("{common}.custom_handshaker: is not supported"),
            format!("{common}.tls_certificate_sds_secret_configs: is not supported"),
            format!("{common}.tls_certificates: is not supported"),
        ]
    );
    let context = CertificateValidationContext {
        verify_certificate_spki: vec!["x".to_owned()],
        verify_certificate_hash: vec!["x".to_owned()],
        require_signed_certificate_timestamp: Some(true),
        crl: Some(Default::default()),
        custom_validator_config: Some(Default::default()),
        match_subject_alt_names: vec![Default::default()],
        system_root_certs: Some(Default::default()),
        ..Default::default()
    };
    let validation = format!("{common}.validation_context");
    assert_eq!(
        refused(&tls(context)),
        [
            "verify_certificate_spki: is not supported",
            "verify_certificate_hash: is not supported",
            "require_signed_certificate_timestamp: is not supported",
            "crl: is not supported",
            "custom_validator_config: is not supported",
            "match_subject_alt_names[0]: has no known match pattern",
        ]
        .map(|error| format!("{validation}.{error}"))
    );
}

#[test]
fn certificate_providers_come_from_the_bootstrap() {
    let options = DecodeOptions::new(GRPC).with_certificate_providers(["known"]);
    let read = |name| {
        let message = wrapped_in(TLS, &tls(trusting(name)));
        decode(ResourceType::Cluster, &Any::pack(&message), &options)
    };
    read("known").unwrap();
    let error = read("unknown").unwrap_err().to_string();
    assert!(
        error.ends_with("instance_name: \"unknown\" is not in the bootstrap"),
        "{error}"
    );
}

#[test]
fn several_transport_sockets() {
    let message = Cluster {
        transport_socket_matches: vec![Default::default()],
        ..eds()
    };
    assert_eq!(
        errors(GRPC, &message),
        ["transport_socket_matches: is not supported"]
    );
    assert_eq!(
        cluster(Dialect::Envoy, &message).transport,
        Transport::Unsupported("transport_socket_matches".into())
    );
}
