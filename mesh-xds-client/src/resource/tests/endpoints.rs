//! ClusterLoadAssignments: gRFC A27, Envoy's "ClusterLoadAssignment".

use mesh_core::config::{Address, HealthStatus, LocalityConfig};
use mesh_proto::envoy::{
    config::endpoint::v3::{
        Endpoint, LbEndpoint, LocalityLbEndpoints,
        cluster_load_assignment::{Policy, policy::DropOverload},
        endpoint::AdditionalAddress,
        lb_endpoint::HostIdentifier,
    },
    r#type::v3::FractionalPercent,
};

use super::*;

fn endpoint(address: core::Address) -> LbEndpoint {
    LbEndpoint {
        host_identifier: Some(HostIdentifier::Endpoint(Endpoint {
            address: Some(address),
            ..Default::default()
        })),
        ..Default::default()
    }
}

fn healthy(health: core::HealthStatus, port: u32) -> LbEndpoint {
    LbEndpoint {
        health_status: health as i32,
        ..endpoint(socket("10.0.0.1", port))
    }
}

fn locality(zone: &str, priority: u32, weight: Option<u32>, ports: &[u32]) -> LocalityLbEndpoints {
    LocalityLbEndpoints {
        locality: Some(core::Locality {
            zone: zone.to_owned(),
            ..Default::default()
        }),
        priority,
        load_balancing_weight: weight,
        lb_endpoints: ports
            .iter()
            .map(|&p| endpoint(socket("10.0.0.1", p)))
            .collect(),
        ..Default::default()
    }
}

fn assignment(endpoints: Vec<LocalityLbEndpoints>) -> ClusterLoadAssignment {
    ClusterLoadAssignment {
        cluster_name: "greeter".to_owned(),
        endpoints,
        ..Default::default()
    }
}

fn one(endpoint: LbEndpoint) -> ClusterLoadAssignment {
    assignment(vec![LocalityLbEndpoints {
        lb_endpoints: vec![endpoint],
        ..locality("a", 0, Some(1), &[])
    }])
}

fn read(dialect: Dialect, message: &ClusterLoadAssignment) -> EndpointsConfig {
    match accept(dialect, message).resource {
        Resource::Endpoints(endpoints) => EndpointsConfig::clone(&endpoints),
        other => panic!("{other:?}"),
    }
}

#[test]
fn weights_and_localities_are_kept() {
    let mut message = assignment(vec![
        locality("a", 0, Some(3), &[80]),
        locality("b", 1, Some(1), &[81, 82]),
    ]);
    message.endpoints[1].lb_endpoints[1].load_balancing_weight = Some(7);
    for dialect in BOTH {
        let config = read(dialect, &message);
        let [a, b] = config.localities.as_slice() else {
            panic!("{config:?}")
        };
        assert_eq!((a.priority, a.weight, &*a.id.zone), (0, Some(3), "a"));
        assert_eq!((b.priority, b.weight, &*b.id.zone), (1, Some(1), "b"));
        let weights: Vec<_> = b.endpoints.iter().map(|e| e.weight).collect();
        assert_eq!(weights, [1, 7]);
        let address = Address::Socket("10.0.0.1:82".parse().unwrap());
        assert_eq!(b.endpoints[1].address, address);
    }
}

#[test]
fn no_endpoints_at_all_are_accepted() {
    for dialect in BOTH {
        assert_eq!(
            read(dialect, &assignment(Vec::new())),
            EndpointsConfig::default()
        );
    }
}

#[test]
fn grpc_leaves_localities_without_weight_out_before_it_counts_priorities() {
    for weight in [None, Some(0)] {
        // What is left out is not even looked at.
        let mut left_out = locality("a", 0, weight, &[80, 80]);
        left_out.lb_endpoints[0].load_balancing_weight = Some(0);
        let gap = assignment(vec![left_out.clone(), locality("b", 1, Some(1), &[81])]);
        assert_eq!(
            errors(Dialect::Grpc, &gap),
            ["endpoints: priority 0 is missing"]
        );
        let whole = assignment(vec![left_out, locality("b", 0, Some(1), &[81])]);
        assert_eq!(read(Dialect::Grpc, &whole).localities.len(), 1);
    }
    let gap = assignment(vec![
        locality("a", 0, Some(1), &[80]),
        locality("b", 2, Some(1), &[81]),
    ]);
    assert_eq!(
        errors(Dialect::Grpc, &gap),
        ["endpoints: priority 1 is missing"]
    );
}

#[test]
fn envoy_takes_gaps_and_keeps_localities_without_weight() {
    let message = assignment(vec![
        locality("a", 2, None, &[80]),
        locality("b", 5, Some(1), &[81]),
    ]);
    let found = read(Dialect::Envoy, &message).localities;
    let found: Vec<_> = found.iter().map(|l| (l.priority, l.weight)).collect();
    assert_eq!(found, [(2, None), (5, Some(1))]);
    let zero = assignment(vec![locality("a", 0, Some(0), &[80])]);
    assert_eq!(
        errors(Dialect::Envoy, &zero),
        ["endpoints[0].load_balancing_weight: must be at least 1"]
    );
    let far = assignment(vec![locality("a", 129, Some(1), &[])]);
    assert_eq!(
        errors(Dialect::Envoy, &far),
        ["endpoints[0].priority: is above 128"]
    );
}

#[test]
fn a_locality_twice_in_a_priority() {
    let message = assignment(vec![
        locality("a", 0, Some(1), &[80]),
        locality("a", 0, Some(2), &[81]),
    ]);
    assert_eq!(
        errors(Dialect::Grpc, &message),
        ["endpoints[1].locality: \"/a/\" is twice in priority 0"]
    );
    let merged = read(Dialect::Envoy, &message).localities;
    let found: Vec<_> = merged
        .iter()
        .map(|l: &LocalityConfig| (l.weight, l.endpoints.len()))
        .collect();
    assert_eq!(found, [(Some(2), 2)]);
    let apart = assignment(vec![
        locality("a", 0, Some(1), &[80]),
        locality("a", 1, Some(2), &[81]),
    ]);
    for dialect in BOTH {
        assert_eq!(read(dialect, &apart).localities.len(), 2);
    }
}

#[test]
fn an_address_given_twice() {
    let message = assignment(vec![
        locality("a", 0, Some(1), &[80]),
        locality("b", 1, Some(2), &[80]),
    ]);
    assert_eq!(
        errors(Dialect::Grpc, &message),
        ["endpoints[1].lb_endpoints[0].endpoint.address: \"10.0.0.1:80\" is given twice"]
    );
    assert_eq!(read(Dialect::Envoy, &message).localities.len(), 2);
    let message = assignment(vec![locality("a", 0, Some(1), &[80, 80])]);
    assert_eq!(
        read(Dialect::Envoy, &message).localities[0].endpoints.len(),
        1
    );
}

#[test]
fn unusable_endpoints_and_additional_addresses_count_as_duplicates() {
    let mut unhealthy = healthy(core::HealthStatus::Unhealthy, 80);
    let message = assignment(vec![LocalityLbEndpoints {
        lb_endpoints: vec![unhealthy.clone(), endpoint(socket("10.0.0.1", 80))],
        ..locality("a", 0, Some(1), &[])
    }]);
    assert_eq!(
        errors(Dialect::Grpc, &message),
        ["endpoints[0].lb_endpoints[1].endpoint.address: \"10.0.0.1:80\" is given twice"]
    );
    if let Some(HostIdentifier::Endpoint(endpoint)) = &mut unhealthy.host_identifier {
        endpoint.additional_addresses = vec![
            AdditionalAddress {
                address: Some(socket("10.0.0.1", 80)),
            },
            AdditionalAddress { address: None },
        ];
    }
    let list = "endpoints[0].lb_endpoints[0].endpoint.additional_addresses";
    assert_eq!(
        errors(Dialect::Grpc, &one(unhealthy)),
        [
            format!("{list}[0].address: \"10.0.0.1:80\" is given twice"),
            format!("{list}[1].address: is missing"),
        ]
    );
}

#[test]
fn health_by_dialect() {
    use self::core::HealthStatus as Health;
    let cases = [
        (Health::Unknown, HealthStatus::Healthy),
        (Health::Healthy, HealthStatus::Healthy),
        (Health::Unhealthy, HealthStatus::Unhealthy),
        (Health::Draining, HealthStatus::Draining),
        (Health::Timeout, HealthStatus::Unhealthy),
        (Health::Degraded, HealthStatus::Degraded),
    ];
    for (health, expected) in cases {
        let message = one(healthy(health, 80));
        let envoy = &read(Dialect::Envoy, &message).localities[0].endpoints;
        assert_eq!(envoy[0].health, expected, "{health:?}");
        let grpc = &read(Dialect::Grpc, &message).localities[0].endpoints;
        assert_eq!(grpc.len(), usize::from(expected == HealthStatus::Healthy));
    }
    let odd = LbEndpoint {
        health_status: 77,
        ..endpoint(socket("10.0.0.1", 80))
    };
    let grpc = &read(Dialect::Grpc, &one(odd.clone())).localities[0].endpoints;
    assert!(grpc.is_empty());
    let envoy = &read(Dialect::Envoy, &one(odd)).localities[0].endpoints;
    assert_eq!(envoy[0].health, HealthStatus::Unhealthy);
}

#[test]
fn bad_endpoints_are_named() {
    let at = "endpoints[0].lb_endpoints[0]";
    let weightless = LbEndpoint {
        load_balancing_weight: Some(0),
        ..endpoint(socket("10.0.0.1", 80))
    };
    let nowhere = LbEndpoint {
        host_identifier: None,
        ..Default::default()
    };
    let named = LbEndpoint {
        host_identifier: Some(HostIdentifier::EndpointName("a".to_owned())),
        ..Default::default()
    };
    let portless = endpoint(core::Address {
        address: Some(core::address::Address::SocketAddress(core::SocketAddress {
            address: "10.0.0.1".to_owned(),
            ..Default::default()
        })),
    });
    let cases = [
        (weightless, "load_balancing_weight: must be at least 1"),
        (nowhere, "endpoint: is missing"),
        (named, "endpoint_name: is not supported"),
        (
            endpoint(socket("example.test", 80)),
            "endpoint.address.socket_address.address: \"example.test\" is not an IP address",
        ),
        (
            endpoint(socket("10.0.0.1", 65_536)),
            "endpoint.address.socket_address.port_value: 65536 is not a port",
        ),
        (
            portless,
            "endpoint.address.socket_address.port_value: is missing",
        ),
        (
            endpoint(core::Address { address: None }),
            "endpoint.address: is missing",
        ),
    ];
    for (endpoint, expected) in cases {
        for dialect in BOTH {
            let found = errors(dialect, &one(endpoint.clone()));
            assert_eq!(found, [format!("{at}.{expected}")], "{dialect:?}");
        }
    }
}

#[test]
fn a_unix_socket_is_envoys() {
    let pipe = |path: &str| {
        one(endpoint(core::Address {
            address: Some(core::address::Address::Pipe(core::Pipe {
                path: path.to_owned(),
                mode: 0,
            })),
        }))
    };
    let found = read(Dialect::Envoy, &pipe("/run/greeter"));
    let address = &found.localities[0].endpoints[0].address;
    assert_eq!(address, &Address::Unix("/run/greeter".into()));
    let at = "endpoints[0].lb_endpoints[0].endpoint.address.pipe";
    assert_eq!(
        errors(Dialect::Envoy, &pipe("@abstract")),
        [format!("{at}.path: abstract sockets are not supported")]
    );
    assert_eq!(
        errors(Dialect::Grpc, &pipe("/run/greeter")),
        [format!("{at}: is not a socket_address")]
    );
}

#[test]
fn sums_must_fit_and_a_locality_needs_an_id_in_grpc() {
    let message = assignment(vec![
        locality("a", 0, Some(u32::MAX), &[]),
        locality("b", 0, Some(1), &[]),
    ]);
    for dialect in BOTH {
        assert_eq!(
            errors(dialect, &message),
            ["endpoints[1].load_balancing_weight: sum of priority 0 exceeds 4,294,967,295"]
        );
        let mut heavy = assignment(vec![locality("a", 0, Some(1), &[80, 81])]);
        heavy.endpoints[0].lb_endpoints[0].load_balancing_weight = Some(u32::MAX);
        assert_eq!(
            errors(dialect, &heavy),
            ["endpoints[0].lb_endpoints: have a sum of weights above 4,294,967,295"]
        );
    }
    let mut message = assignment(vec![locality("a", 0, Some(1), &[80])]);
    message.endpoints[0].locality = None;
    assert_eq!(
        errors(Dialect::Grpc, &message),
        ["endpoints[0].locality: is missing"]
    );
    read(Dialect::Envoy, &message);
}

#[test]
fn drops_and_overprovisioning() {
    let overload = |denominator| DropOverload {
        category: "throttle".to_owned(),
        drop_percentage: Some(FractionalPercent {
            numerator: 25,
            denominator,
        }),
    };
    let mut message = assignment(Vec::new());
    message.policy = Some(Policy {
        drop_overloads: vec![overload(0), overload(1), overload(2)],
        overprovisioning_factor: Some(200),
        ..Default::default()
    });
    for (dialect, factor) in [(Dialect::Grpc, 140), (Dialect::Envoy, 200)] {
        let config = read(dialect, &message);
        let shares: Vec<_> = config
            .drops
            .iter()
            .map(|d| d.fraction.millionths())
            .collect();
        assert_eq!(shares, [250_000, 2_500, 25]);
        assert_eq!(config.drops[0].category.as_ref(), "throttle");
        assert_eq!(config.overprovisioning_factor, factor);
    }
    message.policy = Some(Policy {
        drop_overloads: vec![overload(9)],
        overprovisioning_factor: Some(0),
        ..Default::default()
    });
    let drop = "policy.drop_overloads[0].drop_percentage.denominator: unknown denominator type 9";
    assert_eq!(errors(Dialect::Grpc, &message), [drop]);
    assert_eq!(
        errors(Dialect::Envoy, &message),
        [
            "policy.overprovisioning_factor: must be greater than zero",
            drop
        ]
    );
}
