//! Sending again.

use std::sync::Arc;

use mesh_core::config::{
    BackoffConfig, RetryConditions, RetryPolicy, RouteMatch, Snapshot, SnapshotBuilder,
};
use mesh_testkit::echo::Behaviour;

use crate::support::{PROTOCOLS, cluster, get, mesh, route, routes, server, simple};

fn retrying(on: RetryConditions, cluster: mesh_core::config::ClusterConfig) -> Snapshot {
    let policy = RetryPolicy {
        on,
        status_codes: Vec::new(),
        num_retries: 2,
        per_try_timeout: None,
        backoff: BackoffConfig::default(),
    };
    let name = cluster.name.clone();
    let to = |forward: &mut mesh_core::config::Forward| forward.retry = Some(Arc::new(policy));
    let route = route("retrying", RouteMatch::prefix("/"), name.as_str(), to);
    SnapshotBuilder::new("listener")
        .routes(routes("*", vec![route]))
        .cluster(cluster)
        .build()
        .unwrap()
}

#[tokio::test]
async fn an_answer_that_policy_names_is_tried_again() {
    for protocol in PROTOCOLS {
        let server = server(protocol, "only");
        server.next(2, Behaviour::status(503));
        let cluster = cluster("only", protocol, &[server.socket()]);
        let (mesh, _source) = mesh(retrying(RetryConditions::FIVE_XX, cluster));
        let seen = get(&mesh.http_client("shop"), "/a?b=c").await;
        assert_eq!((seen.serial, seen.path.as_str()), (3, "/a?b=c"));
    }
}

#[tokio::test]
async fn without_a_policy_an_answer_stands() {
    for protocol in PROTOCOLS {
        let server = server(protocol, "only");
        server.next(1, Behaviour::status(503));
        let (mesh, _source) = mesh(simple(cluster("only", protocol, &[server.socket()])));
        let client = mesh.http_client("shop");
        let request = http::Request::get("http://shop.test/")
            .body(String::new())
            .unwrap();
        let response = client.send(request).await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(get(&client, "/").await.serial, 2);
    }
}
