use std::sync::Arc;

use mesh_core::{
    config::{
        Address, BackoffConfig, ClusterConfig, Dialect, Discovery, EndpointsConfig,
        RetryConditions, RetryPolicy, RouteAction, RouteConfig, SnapshotBuilder,
    },
    entropy::Entropy,
    runtime::{ClusterSlot, Pick},
    source::FixedSource,
};
use mesh_testkit::{EchoServer, echo::Behaviour};

use super::*;
use crate::Mesh;

/// An answer that is thrown away for a retry never has its body read, and is a failure of its
/// endpoint all the same; the final one counts when it has been read.
#[tokio::test]
async fn answers_that_are_not_final_are_failures_of_their_endpoint() {
    let server = EchoServer::http2().start();
    server.next(2, Behaviour::status(503));
    let endpoints = EndpointsConfig::of([Address::Socket(server.socket())]);
    let cluster = ClusterConfig::new("shop", Discovery::Static(endpoints.into()), Dialect::Grpc);
    let mut routes = RouteConfig::to_cluster("shop".into(), Dialect::Grpc);
    let route = Arc::make_mut(&mut routes.virtual_hosts[0].routes[0]);
    if let RouteAction::Forward(forward) = &mut route.action {
        let forward = Arc::make_mut(forward);
        forward.retry = Some(Arc::new(RetryPolicy {
            on: RetryConditions::FIVE_XX,
            status_codes: Vec::new(),
            num_retries: 2,
            per_try_timeout: None,
            backoff: BackoffConfig::default(),
        }));
    }
    let snapshot = SnapshotBuilder::new("shop").routes(routes).cluster(cluster);
    let source = FixedSource::new();
    source.set("shop", snapshot.build().unwrap());
    let mesh = Mesh::builder().source(source).spawn().unwrap();

    let request = Request::get("http://shop.test/").body(RequestBody::empty());
    let client = mesh.http_client("shop");
    let answer = client.send(request.unwrap()).await;
    let body = answer.unwrap().into_body();
    let view = mesh.target("shop".into()).view().unwrap();
    let (_, slot) = view.clusters().next().unwrap();
    let ClusterSlot::Live(cluster) = slot else {
        panic!("{slot:?}");
    };
    let Pick::Use(picked) = cluster.pick(&Entropy::system()) else {
        panic!("the endpoint is connected");
    };
    let endpoint = picked.endpoint.state();
    assert_eq!((endpoint.successes(), endpoint.failures()), (0, 2));
    http_body_util::BodyExt::collect(body).await.unwrap();
    assert_eq!((endpoint.successes(), endpoint.failures()), (1, 2));
}
