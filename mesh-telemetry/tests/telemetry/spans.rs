//! Every field of the spans, from real calls.

mod collect;

use http_body_util::BodyExt;
use mesh_telemetry::TraceObserver;
use mesh_testkit::echo::Behaviour;

pub(crate) use self::collect::Collector;
use crate::support::{World, get};

#[tokio::test]
async fn a_call_has_a_span_and_each_attempt_one_below() {
    let (collector, _installed) = Collector::install();
    let mut world = World::new(TraceObserver::new());
    world.grpc.fail_next(1, tonic::Code::Unavailable);
    world.call().await.unwrap();
    let [request, first, second] = &collector.closed()[..] else {
        panic!("{:?}", collector.closed());
    };
    let at = world.grpc.socket().to_string();
    let rows = [
        ("otel.kind", "client"),
        ("rpc.system", "grpc"),
        ("http.request.method", "POST"),
        ("server.address", "shop.test:81"),
        ("url.path", "/mesh.test.v1.Echo/Unary"),
        ("mesh.target", "xds:///shop"),
        ("mesh.route", "all calls"),
        ("mesh.cluster", "calls"),
        ("mesh.attempts", "2"),
        ("mesh.end", "answered"),
        ("http.response.status_code", "200"),
        ("rpc.grpc.status_code", "0"),
    ];
    request.is("request", "INFO", &rows);
    assert_eq!(request.parent, None);
    assert_eq!(
        (request.get("trace_id").len(), request.get("span_id").len()),
        (32, 16)
    );
    for (attempt, number, code) in [(first, "1", "14"), (second, "2", "0")] {
        let rows = [
            ("mesh.attempt", number),
            ("mesh.endpoint", &at),
            ("mesh.end", "answered"),
            ("http.response.status_code", "200"),
            ("rpc.grpc.status_code", code),
        ];
        attempt.is("attempt", "DEBUG", &rows);
        assert_eq!(attempt.parent, Some(request.id));
        assert_ne!(attempt.get("span_id"), request.get("span_id"));
    }
    assert_ne!(first.get("span_id"), second.get("span_id"));
}

#[tokio::test]
async fn an_error_is_on_the_span_of_its_attempt_and_of_its_request() {
    let (collector, _installed) = Collector::install();
    let world = World::new(TraceObserver::new());
    let error = world
        .client
        .send(get("/dead/a?secret=1"))
        .await
        .unwrap_err();
    let closed = collector.closed();
    let (request, attempt) = (&closed[0], &closed[1]);
    let text = error.to_string();
    let rows = [
        ("url.path", "/dead/a"),
        ("mesh.cluster", "dead"),
        ("mesh.route", "all dead"),
        ("mesh.end", "failed"),
        ("error.type", "connect"),
        ("error.message", &text),
    ];
    request.is("request", "INFO", &rows);
    assert!(
        request
            .fields
            .iter()
            .all(|(_, value)| !value.contains("secret"))
    );
    let rows = [
        ("mesh.endpoint", "127.0.0.1:1"),
        ("mesh.end", "failed"),
        ("error.type", "connect"),
    ];
    attempt.is("attempt", "DEBUG", &rows);
    assert!(attempt.get("error.message").contains("could not connect"));
}

#[tokio::test]
async fn a_request_that_is_refused_or_given_up_has_a_span_too() {
    let (collector, _installed) = Collector::install();
    let world = World::new(TraceObserver::new());
    world.client.send(get("/nowhere")).await.unwrap_err();
    let [refused] = &collector.closed()[..] else {
        panic!("{:?}", collector.closed());
    };
    refused.is(
        "request",
        "INFO",
        &[("error.type", "no_route"), ("mesh.attempts", "0")],
    );

    world.http.next(
        1,
        Behaviour {
            body_size: Some(4 << 20),
            ..Behaviour::default()
        },
    );
    let mut half = world.client.send(get("/shop/a")).await.unwrap();
    half.frame().await.unwrap().unwrap();
    assert_eq!(collector.closed().len(), 1);
    drop(half);
    let rows = [
        ("mesh.end", "dropped"),
        ("http.response.status_code", "200"),
    ];
    let closed = collector.closed();
    closed[1].is("request", "INFO", &rows);
    closed[2].is("attempt", "DEBUG", &rows);

    let unknown = world.unknown();
    let given_up = unknown.send(get("/"));
    let patience = std::time::Duration::from_millis(10);
    tokio::time::timeout(patience, given_up).await.unwrap_err();
    let closed = collector.closed();
    closed[3].is(
        "request",
        "INFO",
        &[("mesh.end", "cancelled"), ("mesh.target", "xds:///unknown")],
    );
    assert_eq!(collector.open(), 0);
}
