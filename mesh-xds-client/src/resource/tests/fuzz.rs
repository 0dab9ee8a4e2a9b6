//! No bytes make a decoder panic, and what it says stays small.

use mesh_core::config::Dialect;
use mesh_proto::{
    Any,
    envoy::{
        config::cluster::v3::cluster::DiscoveryType,
        extensions::filters::{
            http::fault::v3::HttpFault,
            network::http_connection_manager::v3::{HttpFilter, http_filter::ConfigType},
        },
    },
};
use proptest::prelude::*;

use super::{
    cluster_grpc::{at_hosts, of_type},
    listener::{listener, manager, router},
    *,
};

/// Valid messages of every type, to be damaged.
fn seeds() -> Vec<(ResourceType, Any)> {
    let mut chained = manager();
    chained.http_filters = vec![
        HttpFilter {
            name: "fault".to_owned(),
            config_type: Some(ConfigType::TypedConfig(Any::pack(&HttpFault::default()))),
            ..Default::default()
        },
        router(),
    ];
    let action = pb::RouteAction {
        timeout: Some(millis(1_500)),
        max_stream_duration: Some(pb::route_action::MaxStreamDuration {
            max_stream_duration: Some(millis(2_500)),
            ..Default::default()
        }),
        retry_policy: Some(pb::RetryPolicy {
            retry_on: "5xx,unavailable".to_owned(),
            retry_back_off: Some(pb::retry_policy::RetryBackOff {
                base_interval: Some(millis(10)),
                max_interval: Some(millis(20)),
            }),
            ..Default::default()
        }),
        ..forward("a")
    };
    let mut route = to(action);
    route.r#match = Some(pb::RouteMatch {
        headers: vec![pb::HeaderMatcher {
            name: "x-user".to_owned(),
            header_match_specifier: Some(pb::header_matcher::HeaderMatchSpecifier::SafeRegexMatch(
                regex("a+|[b-z]{2}"),
            )),
            ..Default::default()
        }],
        ..every_path()
    });
    let dns = Cluster {
        load_assignment: Some(at_hosts(&[&[("greeter.test", 80)]])),
        circuit_breakers: Some(Default::default()),
        ..of_type(DiscoveryType::LogicalDns)
    };
    let endpoints = at_hosts(&[&[("10.0.0.1", 80), ("10.0.0.2", 80)], &[("10.0.0.3", 80)]]);
    vec![
        (ResourceType::Listener, Any::pack(&listener(&chained))),
        (ResourceType::RouteConfig, Any::pack(&routes(vec![route]))),
        (ResourceType::Cluster, Any::pack(&eds())),
        (ResourceType::Cluster, Any::pack(&dns)),
        (ResourceType::Endpoints, Any::pack(&endpoints)),
    ]
}

/// Decodes in both dialects; what comes out is bounded.
fn survives(kind: ResourceType, any: &Any) {
    for dialect in BOTH {
        match decode(kind, any, &DecodeOptions::new(dialect)) {
            Ok(decoded) => {
                assert!(decoded.warnings.len() <= ConfigErrors::MAX);
                let _ = decoded.resource.references();
            }
            Err(error) => assert!(error.errors.iter().len() <= ConfigErrors::MAX),
        }
    }
}

#[test]
fn the_seeds_are_valid() {
    for (kind, any) in seeds() {
        decode(kind, &any, &DecodeOptions::new(Dialect::Envoy)).unwrap();
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for kind in ResourceType::ALL {
            for type_url in [kind.type_url(), Wrapper::TYPE_URL] {
                survives(kind, &Any {
                    type_url: type_url.to_owned(),
                    value: bytes.clone().into(),
                });
            }
        }
    }

    #[test]
    fn damaged_bytes(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        for (kind, any) in seeds() {
            let mut bytes = any.value.to_vec();
            for (at, byte) in &edits {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            let cut = bytes[..cut.index(bytes.len())].to_vec();
            for bytes in [bytes, cut] {
                survives(kind, &Any {
                    type_url: any.type_url.clone(),
                    value: bytes.into(),
                });
            }
        }
    }

    #[test]
    fn any_texts(text in "\\PC{0,12}", domain in "[*a\u{e4}.]{0,6}") {
        let mut message = routes(vec![to(forward(&text))]);
        message.virtual_hosts[0].domains = vec![domain, text.clone()];
        message.virtual_hosts[0].routes[0].r#match = Some(pb::RouteMatch {
            path_specifier: Some(pb::route_match::PathSpecifier::PathSeparatedPrefix(text.clone())),
            headers: vec![pb::HeaderMatcher {
                name: text.clone(),
                header_match_specifier: Some(
                    pb::header_matcher::HeaderMatchSpecifier::SafeRegexMatch(regex(&text)),
                ),
                ..Default::default()
            }],
            ..Default::default()
        });
        survives(ResourceType::RouteConfig, &Any::pack(&message));
    }
}
