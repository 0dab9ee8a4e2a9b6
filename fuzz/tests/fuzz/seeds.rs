//! Valid resources of each type, to be changed.

use std::{sync::LazyLock, time::Duration};

use mesh_core::{config::Dialect, entropy::mix};
use mesh_proto::{
    Any, TypeUrl,
    envoy::config::{core::v3::HealthStatus, route::v3::header_matcher::HeaderMatchSpecifier},
};
use mesh_testkit::xds;
use mesh_xds_client::resource::ResourceType;

use crate::{decode, draw::Draw, schema::SCHEMA, tree::Node};

/// Resources with most of what can be said, also what nobody but Envoy understands.
mod full {
    #![allow(dead_code, reason = "the messages of the protocol are not needed here")]

    use mesh_proto::{envoy, google};

    use google::protobuf::{Any, Duration, Struct, Value, value};

    fn uint32(value: u32) -> Option<u32> {
        Some(value)
    }

    fn uint64(value: u64) -> Option<u64> {
        Some(value)
    }

    fn boolean(value: bool) -> Option<bool> {
        Some(value)
    }

    include!("../../../interop/envoy-types/tests/wire/resources.rs");
}

/// The seeds of a type.
pub(crate) fn of(kind: ResourceType) -> &'static [Node] {
    &SEEDS[kind as usize]
}

static SEEDS: LazyLock<[Vec<Node>; ResourceType::ALL.len()]> = LazyLock::new(|| {
    ResourceType::ALL.map(|kind| match kind {
        ResourceType::Listener => listeners(),
        ResourceType::RouteConfig => route_configs(),
        ResourceType::Cluster => clusters(),
        ResourceType::Endpoints => endpoints(),
    })
});

fn node<M: TypeUrl>(message: &M) -> Node {
    let any = Any::pack(message);
    let kind = SCHEMA.of_url(&any.type_url).unwrap();
    Node::read(kind, &any.value).unwrap()
}

fn listeners() -> Vec<Node> {
    let fault = xds::fault()
        .abort_http(503, 0.5)
        .delay(Duration::from_millis(5), 0.5)
        .max_active(3);
    vec![
        node(&xds::listener("a", "routes").build()),
        node(
            &xds::listener("a", "routes")
                .fault(fault)
                .max_stream_duration(Duration::from_secs(3))
                .build(),
        ),
        node(&xds::listener("a", "").inline(routes()).build()),
        node(&full::api_listener()),
        node(&full::server_listener()),
    ]
}

fn routes() -> xds::RouteConfigBuilder {
    let retry = xds::retry("5xx,unavailable,reset", 3)
        .per_try_timeout(Duration::from_secs(1))
        .backoff(Duration::from_millis(10), Duration::from_millis(90))
        .statuses(&[409]);
    let present = HeaderMatchSpecifier::PresentMatch(true);
    xds::route_config("routes")
        .host(
            &["a", "*.b", "a.*"],
            [
                xds::to("a").name("first").path("/a").header("x-user", "a"),
                xds::split(&[("a", 1), ("b", 2)])
                    .path_prefix("/a")
                    .share(0.5),
                xds::to("b").regex("/a.*").query("a", "b").ignore_case(),
                xds::to("c")
                    .prefix("/")
                    .header_match("content-type", present)
                    .timeout(Duration::from_secs(2))
                    .grpc_timeout_max(Duration::from_secs(2)),
            ],
        )
        .host(
            &["*"],
            [
                xds::to("a")
                    .prefix("/b")
                    .rewrite_prefix("/c")
                    .rewrite_host("d"),
                xds::to("a").hash_header("x-user").retry(retry),
                xds::direct(404, "no"),
            ],
        )
        .retry(xds::retry("cancelled", 1))
}

fn route_configs() -> Vec<Node> {
    vec![
        node(&routes().build()),
        node(&xds::routes("routes", &[("a", 1)]).build()),
        node(&full::routes()),
    ]
}

fn clusters() -> Vec<Node> {
    let at = [([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 2).into()];
    vec![
        node(&xds::cluster("a").build()),
        node(
            &xds::cluster("a")
                .http2()
                .ring_hash(4, 16)
                .max_requests(3)
                .build(),
        ),
        node(
            &xds::cluster("a")
                .http1()
                .fixed(xds::endpoints("a", &at))
                .connect_timeout(Duration::from_secs(1))
                .max_pending(1)
                .max_connections(1)
                .max_retries(1)
                .build(),
        ),
        node(&full::cluster()),
    ]
}

fn endpoints() -> Vec<Node> {
    let at = |port| ([127, 0, 0, 1], port).into();
    let near = xds::locality("near")
        .locality_weight(3)
        .endpoint(at(1))
        .weight(2)
        .endpoint(at(2))
        .health(HealthStatus::Draining);
    let far = xds::locality("far")
        .priority(1)
        .locality_weight(1)
        .endpoint(at(3))
        .endpoint(at(4))
        .health(HealthStatus::Unhealthy);
    vec![
        node(&xds::endpoints("a", &[at(1), at(2), at(3)]).build()),
        node(
            &xds::no_endpoints("a")
                .locality(near)
                .locality(far)
                .drop("lb", 0.1)
                .overprovisioning(140)
                .build(),
        ),
        node(&full::endpoints()),
    ]
}

#[test]
fn the_seeds_are_written_as_they_were_read() {
    for kind in ResourceType::ALL {
        for seed in of(kind) {
            let bytes = seed.write();
            let again = Node::read(&seed.message, &bytes).unwrap();
            assert_eq!(again.write(), bytes);
            assert!(seed.len() > 1);
        }
    }
}

#[test]
fn many_changed_resources_are_still_good() {
    for kind in ResourceType::ALL {
        for dialect in [Dialect::Grpc, Dialect::Envoy] {
            let good = (0..400).filter(|seed| {
                let bytes: Vec<u8> = (0..600).map(|at| mix(seed << 16 | at) as u8).collect();
                decode::good(&mut Draw::new(&bytes), kind, dialect).is_some()
            });
            let good = good.count();
            println!("{kind} {dialect:?}: {good}");
            assert!(
                (40..390).contains(&good),
                "{kind} {dialect:?}: {good} of 400"
            );
        }
    }
}
