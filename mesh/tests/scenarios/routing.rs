//! From the route configuration to the wire: matches, shares, retries and faults.

use std::time::Duration;

use mesh_core::ErrorKind;
use mesh_proto::envoy::config::route::v3::{
    header_matcher::HeaderMatchSpecifier, route_action::ClusterSpecifier,
    weighted_cluster::RandomValueSpecifier,
};
use mesh_proto::envoy::r#type::v3::Int64Range;
use mesh_testkit::xds::{self, RouteBuilder};
use tonic::Code;

use crate::support::{Backend, Call, ROUTES, Setup, World};

/// A world with clusters `a` and `b`, and these routes for every authority.
async fn world(setup: Setup, routes: Vec<RouteBuilder>) -> (World, [Backend; 2]) {
    let backends = ["a", "b"].map(|id| Backend::start(setup, id));
    let [a, b] = &backends;
    let world = World::start(setup).await;
    let routes = xds::route_config(ROUTES).host(&["*"], routes);
    world.publish(routes, &[("a", &[a]), ("b", &[b])]);
    (world, backends)
}

async fn server(world: &World, call: Call) -> String {
    world.client.call(&call).await.unwrap().server
}

async fn headers_paths_and_fractions_choose_the_cluster(setup: Setup) {
    let path = setup.pick("/mesh[.]test[.]v1[.]Echo/U.*", "/or[a-z]+s");
    let range = HeaderMatchSpecifier::RangeMatch(Int64Range {
        start: 100,
        end: 200,
    });
    let present = HeaderMatchSpecifier::PresentMatch(true);
    let routes = vec![
        xds::to("a").header("x-user", "ada"),
        xds::to("a").header_match("x-age", range),
        xds::to("a").header_match("x-beta", present),
        xds::to("a").regex(path).header("x-how", "regex"),
        xds::to("a").regex("/nothing").header("x-how", "no match"),
        xds::to("a").header("x-how", "always").share(100.0),
        xds::to("a").header("x-how", "never").share(0.0),
        xds::to("b"),
    ];
    let (world, _backends) = world(setup, routes).await;
    for (name, value, expected) in [
        ("x-user", "ada", "a"),
        ("x-user", "bob", "b"),
        ("x-age", "100", "a"),
        ("x-age", "200", "b"),
        ("x-age", "old", "b"),
        ("x-beta", "", "a"),
        ("x-how", "regex", "a"),
        ("x-how", "no match", "b"),
        ("x-how", "always", "a"),
        ("x-how", "never", "b"),
    ] {
        let call = Call::new().header(name, value);
        assert_eq!(server(&world, call).await, expected, "{name}: {value}");
    }
    assert_eq!(server(&world, Call::new()).await, "b");
}

/// gRPC has no query; HTTP's is matched without decoding and sent as it is.
async fn query_parameters_choose_the_cluster(setup: Setup) {
    let (world, _backends) = world(setup, vec![xds::to("a").query("v", "2"), xds::to("b")]).await;
    for (path, expected) in [
        ("/orders?v=2", "a"),
        ("/orders?u=1&v=2&w", "a"),
        ("/orders?v=22", "b"),
        ("/orders?V=2", "b"),
        ("/orders", "b"),
    ] {
        let reply = world.client.call(&Call::new().path(path)).await.unwrap();
        assert_eq!((&*reply.server, &*reply.path), (expected, path));
    }
}

async fn domains_choose_the_virtual_host(setup: Setup) {
    let backends = ["a", "b"].map(|id| Backend::start(setup, id));
    let [a, b] = &backends;
    let world = World::start(setup).await;
    let routes = xds::route_config(ROUTES)
        .host(&["shop.test", "*.shop.test"], [xds::to("a")])
        .host(&["api.shop.test"], [xds::to("b")]);
    world.publish(routes, &[("a", &[a]), ("b", &[b])]);
    for (host, expected) in [
        ("shop.test", "a"),
        ("eu.shop.test", "a"),
        ("api.shop.test", "b"),
        ("API.shop.TEST", "b"),
    ] {
        let reply = world.client.call(&Call::new().host(host)).await.unwrap();
        assert_eq!((&*reply.server, &*reply.authority), (expected, host));
    }
    let failure = world
        .client
        .call(&Call::new().host("bank.test"))
        .await
        .unwrap_err();
    failure.assert(ErrorKind::NoRoute, Code::Unavailable, &["target"]);
}

async fn weights_share_and_a_header_may_draw(setup: Setup) {
    let by_header = xds::split(&[("a", 30), ("b", 70)]).header("x-draw", "by header");
    let by_header = by_header.edit_action(|action| {
        if let Some(ClusterSpecifier::WeightedClusters(weighted)) = &mut action.cluster_specifier {
            let name = RandomValueSpecifier::HeaderName("x-random".to_owned());
            weighted.random_value_specifier = Some(name);
        }
    });
    let routes = vec![by_header, xds::split(&[("a", 25), ("b", 75)])];
    let (world, [a, b]) = world(setup, routes).await;
    for _ in 0..400 {
        server(&world, Call::new()).await;
    }
    assert_eq!(a.count() + b.count(), 400);
    // Five standard deviations of 400 draws.
    let slack = 5.0 * (400.0_f64 * 0.25 * 0.75).sqrt();
    assert!((a.count() as f64 - 100.0).abs() <= slack, "{}", a.count());

    // gRPC does not know the header.
    if setup.is_grpc() {
        return;
    }
    for (number, expected) in [
        ("0", "a"),
        ("29", "a"),
        ("30", "b"),
        ("99", "b"),
        ("129", "a"),
    ] {
        let call = Call::new()
            .header("x-draw", "by header")
            .header("x-random", number);
        assert_eq!(server(&world, call).await, expected, "{number}");
    }
}

async fn a_header_names_the_cluster(setup: Setup) {
    let by_header = xds::to("a")
        .header("x-how", "by header")
        .edit_action(|action| {
            let header = ClusterSpecifier::ClusterHeader("x-cluster".to_owned());
            action.cluster_specifier = Some(header);
        });
    // Both clusters are known by other routes.
    let routes = vec![by_header, xds::split(&[("a", 1), ("b", 1)])];
    let (world, _backends) = world(setup, routes).await;
    for name in ["a", "b"] {
        let call = Call::new()
            .header("x-how", "by header")
            .header("x-cluster", name);
        assert_eq!(server(&world, call).await, name);
    }
    for call in [Call::new().header("x-cluster", "unknown"), Call::new()] {
        let failure = world.client.call(&call.header("x-how", "by header")).await;
        failure
            .unwrap_err()
            .assert(ErrorKind::NoCluster, Code::Unavailable, &[]);
    }
}

/// gRFC A44: a route's policy replaces its virtual host's.
async fn a_route_retries_by_its_own_policy(setup: Setup) {
    let on = setup.pick("unavailable", "5xx");
    let quick = |times| {
        let policy = xds::retry(on, times);
        policy.backoff(Duration::from_millis(1), Duration::from_millis(2))
    };
    let [a, b] = ["a", "b"].map(|id| Backend::start(setup, id));
    let world = World::start(setup).await;
    let routes = xds::route_config(ROUTES)
        .host(
            &["*"],
            [
                xds::to("a").header("x-policy", "own").retry(quick(3)),
                xds::to("b"),
            ],
        )
        .retry(quick(1));
    world.publish(routes, &[("a", &[&a]), ("b", &[&b])]);
    let own = || Call::new().header("x-policy", "own");
    let failed = async |call: Call| match world.client.call(&call).await {
        Ok(reply) => reply.status == 503,
        Err(failure) => failure.code == Some(Code::Unavailable),
    };

    for (backend, call, retries) in [(&a, own(), 3), (&b, Call::new(), 1)] {
        backend.fail_next(retries);
        let reply = world.client.call(&call).await.unwrap();
        assert_eq!(reply.status, 200);
        assert_eq!(backend.count(), retries as u64 + 1);
        if setup.is_grpc() {
            let attempts = reply.headers.get("grpc-previous-rpc-attempts");
            assert_eq!(attempts, Some(&retries.to_string()));
        }
        // Once more than it is tried again.
        backend.fail_next(retries + 1);
        assert!(failed(call).await);
        assert_eq!(backend.count(), 2 * (retries as u64 + 1));
    }
}

/// gRFC A33: a route's own fault replaces the listener's.
async fn faults_come_from_the_listener_and_the_route(setup: Setup) {
    let backend = Backend::start(setup, "a");
    let world = World::start(setup).await;
    let abort = |http: u16, grpc| match setup.is_grpc() {
        true => xds::fault().abort_grpc(grpc, 100.0),
        false => xds::fault().abort_http(http, 100.0),
    };
    let routes = xds::route_config(ROUTES).host(
        &["*"],
        [
            xds::to("a").header("x-fault", "none").fault(xds::fault()),
            xds::to("a")
                .header("x-fault", "own")
                .fault(abort(418, Code::ResourceExhausted)),
            xds::to("a"),
        ],
    );
    world.publish(routes, &[("a", &[&backend])]);
    let listener = xds::listener(crate::support::TARGET, ROUTES);
    world
        .plane
        .set(listener.fault(abort(403, Code::PermissionDenied)));
    world.client.ready().await;

    assert_eq!(
        server(&world, Call::new().header("x-fault", "none")).await,
        "a"
    );
    assert_eq!(backend.count(), 1);
    let calls = [
        (Call::new(), 403, Code::PermissionDenied),
        (
            Call::new().header("x-fault", "own"),
            418,
            Code::ResourceExhausted,
        ),
    ];
    for (call, status, code) in calls {
        match world.client.call(&call).await {
            Ok(reply) => assert_eq!(reply.status, status),
            Err(failure) => assert_eq!(failure.code, Some(code), "{failure:?}"),
        }
    }
    assert_eq!(backend.count(), 1);

    // A delay is a delay: the call ends by its deadline and never leaves.
    let delay = xds::fault().delay(Duration::from_secs(60), 100.0);
    let listener = xds::listener(crate::support::TARGET, ROUTES);
    world.plane.set(listener.fault(delay));
    world.plane.wait_acked(mesh_testkit::control::LDS).await;
    let call = Call::new().timeout(Duration::from_millis(50));
    let failure = world.client.call(&call).await.unwrap_err();
    failure.assert(ErrorKind::StreamDeadline, Code::DeadlineExceeded, &[]);
    assert_eq!(backend.count(), 1);
}

on_each_wire!(
    headers_paths_and_fractions_choose_the_cluster,
    domains_choose_the_virtual_host,
    weights_share_and_a_header_may_draw,
    a_route_retries_by_its_own_policy,
    faults_come_from_the_listener_and_the_route,
);

mod envoy {
    use super::{a_header_names_the_cluster, query_parameters_choose_the_cluster};
    use crate::support::Setup;

    #[tokio::test]
    async fn query_over_http1() {
        query_parameters_choose_the_cluster(Setup::HTTP1).await;
    }

    #[tokio::test]
    async fn query_over_http2() {
        query_parameters_choose_the_cluster(Setup::HTTP2).await;
    }

    #[tokio::test]
    async fn cluster_header_over_http1() {
        a_header_names_the_cluster(Setup::HTTP1).await;
    }

    #[tokio::test]
    async fn cluster_header_over_http2() {
        a_header_names_the_cluster(Setup::HTTP2).await;
    }
}
