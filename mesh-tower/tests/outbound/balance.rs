//! Endpoints that come, go and fail, under load.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use mesh_core::config::{
    LbConfig, LbPolicyConfig, LeastRequestWeights, Protocol, Readiness, RouteMatch, Snapshot,
    SnapshotBuilder,
};
use mesh_testkit::{echo::EchoServer, refusing_address};
use tokio::sync::watch;

use crate::support::{
    InMemory, PROTOCOLS, SECOND, cluster, get, mesh, mesh_in_memory, nowhere, read, request, route,
    routes, server, simple,
};

const READINESS: [Readiness; 2] = [Readiness::OnDemand, Readiness::ConnectFirst];

#[tokio::test(start_paused = true)]
async fn endpoints_take_turns() {
    for protocol in PROTOCOLS {
        let servers = ["a", "b", "c"].map(|id| Arc::new(server(protocol, id)));
        let at = servers.each_ref().map(|it| it.socket());
        let snapshot = simple(cluster("all", protocol, &at));
        let (mesh, _source) = mesh_in_memory(&InMemory::of(&servers), snapshot);
        let client = mesh.http_client("shop");
        for _ in 0..30 {
            get(&client, "/").await;
        }
        assert_eq!(servers.map(|it| it.count()), [10, 10, 10]);
    }
}

/// One endpoint among three refuses connections. No request fails, and connecting to it is tried no
/// more often than its back-off allows: at 0 s, 0.8 s, 2.08 s, 4.1 s and 7.4 s at the earliest.
#[tokio::test(start_paused = true)]
async fn an_endpoint_that_refuses_costs_no_request() {
    for protocol in PROTOCOLS {
        for readiness in READINESS {
            let servers = ["a", "b"].map(|id| Arc::new(server(protocol, id)));
            let at = [servers[0].socket(), nowhere(), servers[1].socket()];
            let mut cluster = cluster("all", protocol, &at);
            cluster.lb.readiness = readiness;
            let net = InMemory::of(&servers);
            let (mesh, _source) = mesh_in_memory(&net, simple(cluster));
            let client = mesh.http_client("shop");
            // Together these would each begin a connection of HTTP/1, which is one attempt.
            for _ in 0..3 {
                get(&client, "/").await;
            }
            for _ in 0..10 {
                let requests = (0..30).map(|_| {
                    let client = client.clone();
                    tokio::spawn(async move { get(&client, "/").await })
                });
                for request in requests.collect::<Vec<_>>() {
                    request.await.unwrap();
                }
                tokio::time::sleep(SECOND).await;
            }
            let refused = net.refused();
            assert!((2..=5).contains(&refused), "{refused} dials in 10 s");
            assert!(servers.iter().all(|it| it.count() >= 100));
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_refuses_costs_no_request_over_sockets() {
    for protocol in PROTOCOLS {
        for readiness in READINESS {
            let servers = ["a", "b"].map(|id| server(protocol, id));
            let dead = refusing_address();
            let at = [servers[0].socket(), dead.socket(), servers[1].socket()];
            let mut cluster = cluster("all", protocol, &at);
            cluster.lb.readiness = readiness;
            let (mesh, _source) = mesh(simple(cluster));
            let client = mesh.http_client("shop");
            for _ in 0..30 {
                get(&client, "/").await;
            }
            assert!(servers.iter().all(|it| it.count() > 0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn requests_at_an_endpoint_that_is_removed_finish_there() {
    for protocol in PROTOCOLS {
        let servers = ["old", "new"].map(|id| Arc::new(server(protocol, id)));
        let only = |server: &EchoServer| simple(cluster("one", protocol, &[server.socket()]));
        let [old, new] = &servers;
        let (mesh, source) = mesh_in_memory(&InMemory::of(&servers), only(old));
        let client = mesh.http_client("shop");
        old.hold();
        let early = {
            let client = client.clone();
            tokio::spawn(async move { get(&client, "/early").await })
        };
        old.wait_for("the first request", |it| it.count() == 1)
            .await;
        source.set("shop", only(new));
        // In force once the driver has been polled.
        tokio::time::sleep(SECOND).await;
        assert_eq!(get(&client, "/late").await.server_id, "new");
        old.release();
        assert_eq!(early.await.unwrap().server_id, "old");
        old.wait_for("the old connection to close", |it| {
            it.open_connections() == 0
        })
        .await;
        assert_eq!(old.count(), 1);
    }
}

/// Snapshots that differ in every respect: endpoints, policies, names of clusters, routes.
fn variant(number: usize, protocol: Protocol, servers: &[Arc<EchoServer>]) -> Snapshot {
    let at: Vec<_> = servers.iter().map(|it| it.socket()).collect();
    let at = match number % 4 {
        0 => &at[..1],
        1 => &at[1..],
        2 => &at[..],
        _ => &at[2..],
    };
    let name = ["one", "two"][number / 2 % 2];
    let mut cluster = cluster(name, protocol, at);
    cluster.lb = LbConfig {
        readiness: READINESS[number / 4 % 2],
        policy: match number % 3 {
            0 => LbPolicyConfig::LeastRequest {
                choices: 2,
                weights: LeastRequestWeights::Ignore,
            },
            _ => cluster.lb.policy,
        },
        ..cluster.lb
    };
    // Another identity: connections are not carried over.
    cluster.max_requests_per_connection = number.is_multiple_of(5).then_some(3);
    let rest = route("rest", RouteMatch::prefix("/"), name, |_| {});
    SnapshotBuilder::new("listener")
        .routes(routes("*", vec![rest]))
        .cluster(cluster)
        .build()
        .unwrap()
}

/// Changes are paced by what the requests have done, not by time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_the_configuration_changes() {
    const CHANGES: usize = 200;
    for protocol in PROTOCOLS {
        let servers: Vec<_> = ["a", "b", "c", "d"]
            .iter()
            .map(|id| Arc::new(server(protocol, id)))
            .collect();
        let (mesh, source) = mesh(variant(0, protocol, &servers));
        let client = mesh.http_client("shop");
        let (done, mut progress) = watch::channel(0_u64);
        let stop = Arc::new(AtomicBool::new(false));
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let (client, done, stop) = (client.clone(), done.clone(), Arc::clone(&stop));
                tokio::spawn(async move {
                    while !stop.load(Ordering::SeqCst) {
                        let answer = client.send(request("/a?b=c")).await?;
                        assert_eq!(read(answer).await.path, "/a?b=c");
                        done.send_modify(|done| *done += 1);
                    }
                    Ok::<_, mesh_core::Error>(())
                })
            })
            .collect();
        for number in 1..=CHANGES {
            let goal = *progress.borrow_and_update() + 5;
            let reached = progress.wait_for(|done| *done >= goal);
            let reached = tokio::time::timeout(SECOND * 60, reached).await;
            assert!(reached.is_ok(), "stuck after {number} changes");
            source.set("shop", variant(number, protocol, &servers));
        }
        stop.store(true, Ordering::SeqCst);
        for worker in workers {
            worker.await.unwrap().unwrap();
        }
        let seen: HashMap<_, _> = servers.iter().map(|it| (it.socket(), it.count())).collect();
        assert!(seen.values().all(|&count| count > 0), "{seen:?}");
    }
}
