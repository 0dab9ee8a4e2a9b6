//! Sending again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode};
use mesh_core::{
    ErrorKind,
    config::{
        BackoffConfig, ClusterChoice, Forward, Fraction, Limits, Protocol, RetryBudget,
        RetryConditions, RetryPolicy, RouteMatch, SnapshotBuilder, WeightedCluster,
        WeightedClusters,
    },
};
use mesh_testkit::echo::Behaviour;
use tokio::time::Instant;

use crate::support::{
    InMemory, PROTOCOLS, SECOND, alone, call, channel, cluster, failure, get, mesh_in_memory, read,
    request, route, routed, routes, server,
};

fn policy(on: RetryConditions, num_retries: u32) -> RetryPolicy {
    RetryPolicy {
        on,
        status_codes: Vec::new(),
        num_retries,
        per_try_timeout: None,
        backoff: BackoffConfig::default(),
    }
}

fn retried(on: RetryConditions) -> impl FnOnce(&mut Forward) {
    move |forward| forward.retry = Some(Arc::new(policy(on, 2)))
}

const HTTP2: Protocol = PROTOCOLS[1];

#[tokio::test(start_paused = true)]
async fn an_answer_that_policy_names_is_tried_again() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, retried(RetryConditions::FIVE_XX));
        server.next(2, Behaviour::status(503));
        let seen = get(&client, "/a?b=c").await;
        assert_eq!((seen.serial, seen.path.as_str()), (3, "/a?b=c"));
        assert_eq!(seen.authority, "shop.test");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_stands_when_retries_are_used_up() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, retried(RetryConditions::FIVE_XX));
        server.always(Behaviour::status(502));
        let answer = client.send(request("/")).await.unwrap();
        assert_eq!(answer.status(), 502);
        assert_eq!(server.count(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_policy_an_answer_stands() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, |_| {});
        server.next(1, Behaviour::status(503));
        let answer = client.send(request("/")).await.unwrap();
        assert_eq!(answer.status(), 503);
        drop(answer);
        assert_eq!(get(&client, "/").await.serial, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn codes_are_those_of_the_policy() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, |forward| {
            let mut policy = policy(RetryConditions::STATUS_CODES, 2);
            policy.status_codes.push(StatusCode::IM_A_TEAPOT);
            forward.retry = Some(Arc::new(policy));
        });
        server.next(1, Behaviour::status(418));
        assert_eq!(get(&client, "/").await.serial, 2);
        server.next(1, Behaviour::status(503));
        let answer = client.send(request("/")).await.unwrap();
        assert_eq!(answer.status(), 503);
        assert_eq!(server.count(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_grpc_status_in_the_head_counts() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, retried(RetryConditions::GRPC_UNAVAILABLE));
        server.next(1, Behaviour::default().with_header("grpc-status", "14"));
        server.next(1, Behaviour::default().with_header("grpc-status", "5"));
        let answer = client.send(call("/shop.Shop/Buy")).await.unwrap();
        assert_eq!(answer.headers()["grpc-status"], "5");
        assert_eq!(server.count(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_tried_again_where_policy_says_so() {
    for protocol in PROTOCOLS {
        let reset = || Behaviour::reset(h2::Reason::INTERNAL_ERROR);
        let (server, client) = alone(protocol, retried(RetryConditions::RESET));
        server.next(2, reset());
        assert_eq!(get(&client, "/").await.serial, 3);

        let (server, client) = alone(protocol, |_| {});
        server.next(1, reset());
        let error = failure(&client, request("/")).await;
        assert_eq!(error.kind(), ErrorKind::Reset, "{error}");
        assert!(error.was_sent());
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_stream_is_tried_again_whatever_the_policy() {
    let (server, client) = alone(HTTP2, |_| {});
    server.next(3, Behaviour::reset(h2::Reason::REFUSED_STREAM));
    assert_eq!(get(&client, "/").await.serial, 4);

    // A streaming body is sent again as well, as far as it has gone.
    server.next(1, Behaviour::reset(h2::Reason::REFUSED_STREAM));
    let (sender, body) = channel();
    sender.send(Bytes::from("one,")).unwrap();
    let streaming = Request::post("http://shop.test/").body(body).unwrap();
    let answer = {
        let client = client.clone();
        tokio::spawn(async move { client.send(streaming).await })
    };
    server
        .wait_for("the second attempt", |it| it.count() == 6)
        .await;
    sender.send(Bytes::from("two")).unwrap();
    drop(sender);
    let seen = read(answer.await.unwrap().unwrap()).await;
    assert_eq!(seen.body.as_deref(), Some("one,two"));

    // An endpoint that refuses everything is not asked for ever.
    server.always(Behaviour::reset(h2::Reason::REFUSED_STREAM));
    let before = server.count();
    let error = failure(&client, request("/")).await;
    assert_eq!(error.kind(), ErrorKind::Reset, "{error}");
    assert!(!error.was_sent());
    assert_eq!(server.count() - before, 6);
}

#[tokio::test(start_paused = true)]
async fn no_request_fails_when_the_server_asks_its_clients_to_leave() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, |_| {});
        for round in 0..20 {
            let requests = (0..8).map(|_| {
                let client = client.clone();
                tokio::spawn(async move { get(&client, "/").await })
            });
            let requests: Vec<_> = requests.collect();
            if round % 2 == 0 {
                tokio::task::yield_now().await;
            }
            server.goaway();
            for request in requests {
                request.await.unwrap();
            }
        }
        assert_eq!(server.count(), 160);
        assert!(server.connections() > 1, "{server:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_routes_policy_hides_the_virtual_hosts() {
    for protocol in PROTOCOLS {
        let server = Arc::new(server(protocol, "only"));
        let own = route("own", RouteMatch::prefix("/own"), "only", |forward| {
            forward.retry = Some(Arc::new(policy(RetryConditions::RESET, 5)));
        });
        let rest = route("rest", RouteMatch::prefix("/"), "only", |_| {});
        let mut table = routes("*", vec![own, rest]);
        let hosts = policy(RetryConditions::FIVE_XX, 1);
        table.virtual_hosts[0].retry = Some(Arc::new(hosts));
        let snapshot = SnapshotBuilder::new("listener")
            .routes(table)
            .cluster(cluster("only", protocol, &[server.socket()]))
            .build()
            .unwrap();
        let (mesh, _source) = mesh_in_memory(&InMemory::of([&server]), snapshot);
        let client = mesh.http_client("shop");
        server.always(Behaviour::status(503));
        client.send(request("/own")).await.unwrap();
        assert_eq!(server.count(), 1);
        client.send(request("/rest")).await.unwrap();
        assert_eq!(server.count(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_retries_are_under_way_than_the_cluster_allows() {
    let by_number = Limits {
        max_retries: 1,
        ..Limits::default()
    };
    let by_share = Limits {
        retry_budget: Some(RetryBudget {
            share: Fraction::new(0, 100),
            min_concurrency: 1,
        }),
        ..Limits::default()
    };
    for protocol in PROTOCOLS {
        for limits in [by_number, by_share] {
            let server = Arc::new(server(protocol, "only"));
            let mut cluster = cluster("only", protocol, &[server.socket()]);
            cluster.limits = limits;
            let snapshot = routed(cluster, retried(RetryConditions::FIVE_XX));
            let (mesh, _source) = mesh_in_memory(&InMemory::of([&server]), snapshot);
            let client = mesh.http_client("shop");
            let later = Behaviour::status(503).with_header("grpc-retry-pushback-ms", "60000");
            server.next(2, later);
            let start = Instant::now();
            let ask = || async {
                let answer = client.send(request("/")).await.unwrap();
                (answer.status().as_u16(), start.elapsed() >= SECOND * 60)
            };
            let mut both = <[_; 2]>::from(tokio::join!(ask(), ask()));
            both.sort_unstable();
            assert_eq!(both, [(200, true), (503, false)]);
            // The place is free again.
            server.next(1, Behaviour::status(503));
            get(&client, "/").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_says_when_to_try_again_and_whether() {
    for protocol in PROTOCOLS {
        let (server, client) = alone(protocol, retried(RetryConditions::FIVE_XX));
        let says = |what| Behaviour::status(503).with_header("grpc-retry-pushback-ms", what);
        server.next(1, says("1500"));
        let start = Instant::now();
        assert_eq!(get(&client, "/").await.serial, 2);
        let took = start.elapsed();
        let asked = Duration::from_millis(1_500);
        assert!(
            took >= asked && took < asked + Duration::from_millis(10),
            "{took:?}"
        );

        server.next(1, says("-1"));
        let answer = client.send(request("/")).await.unwrap();
        assert_eq!(answer.status(), 503);
        assert_eq!(server.count(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn retries_stay_in_the_cluster_of_the_first_attempt() {
    for protocol in PROTOCOLS {
        let servers = ["a", "b"].map(|id| Arc::new(server(protocol, id)));
        let share = |name: &str| WeightedCluster {
            name: name.into(),
            weight: 1,
            filter_overrides: Default::default(),
        };
        let split = route("split", RouteMatch::prefix("/"), "a", |forward| {
            forward.cluster = ClusterChoice::Weighted(WeightedClusters {
                clusters: vec![share("a"), share("b")],
                header_name: None,
            });
            retried(RetryConditions::FIVE_XX)(forward);
        });
        let snapshot = SnapshotBuilder::new("listener")
            .routes(routes("*", vec![split]))
            .cluster(cluster("a", protocol, &[servers[0].socket()]))
            .cluster(cluster("b", protocol, &[servers[1].socket()]))
            .build()
            .unwrap();
        let (mesh, _source) = mesh_in_memory(&InMemory::of(&servers), snapshot);
        let client = mesh.http_client("shop");
        for number in 0..40 {
            for server in &servers {
                server.always(Behaviour::status(503));
            }
            let path = format!("/{number}");
            let answer = client.send(request(&path)).await.unwrap();
            assert_eq!(answer.status(), 503);
        }
        let mut attempts = HashMap::<_, u32>::new();
        for server in &servers {
            let seen = server.requests();
            assert!(!seen.is_empty(), "all of 40 requests went to one cluster");
            for seen in seen {
                *attempts.entry((server.socket(), seen.path)).or_default() += 1;
            }
        }
        assert_eq!(attempts.len(), 40);
        assert!(attempts.values().all(|&it| it == 3), "{attempts:?}");
    }
}
