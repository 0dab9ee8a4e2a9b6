//! What the services that are called learn of the trace.

use http::{HeaderMap, HeaderValue};
use mesh_telemetry::{TraceContext, TraceObserver};
use mesh_testkit::echo::Behaviour;

use crate::{
    spans::Collector,
    support::{World, get},
};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

/// What each attempt of a request with these headers was sent with; the first is answered 503.
async fn sent(world: &World, headers: &[(&'static str, &str)]) -> Vec<HeaderMap> {
    let before = world.http.requests().len();
    world.http.next(1, Behaviour::status(503));
    let mut request = get("/shop/a");
    for (name, value) in headers {
        let value = HeaderValue::try_from(*value).unwrap();
        request.headers_mut().append(*name, value);
    }
    world.client.send(request).await.unwrap();
    let requests = world.http.requests();
    let sent = requests[before..].iter().map(|seen| seen.headers.clone());
    sent.collect()
}

fn context(headers: &HeaderMap) -> Option<TraceContext> {
    let mut values = headers.get_all("traceparent").iter();
    let value = values.next()?;
    assert_eq!(values.next(), None, "one traceparent");
    Some(TraceContext::parse(value.as_bytes()).unwrap())
}

#[tokio::test]
async fn a_request_goes_on_in_its_trace_with_a_span_for_each_attempt() {
    let (collector, _installed) = Collector::install();
    let world = World::new(TraceObserver::new());
    let state = [
        ("traceparent", PARENT),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
    ];
    let sent = sent(&world, &state).await;
    assert_eq!(sent.len(), 2);
    let parent = TraceContext::parse(PARENT.as_bytes()).unwrap();
    let spans = collector.closed();
    assert_eq!(spans[0].get("trace_id"), parent.trace_id());
    assert_eq!(spans[0].get("parent_span_id"), parent.span_id());
    for (headers, span) in sent.iter().zip(&spans[1..]) {
        let context = context(headers).unwrap();
        assert_eq!(context.trace_id(), parent.trace_id());
        // Flags are kept: it is not sampled.
        assert!(!context.is_sampled());
        assert_eq!(context.span_id(), span.get("span_id"));
        let states: Vec<_> = headers.get_all("tracestate").iter().collect();
        assert_eq!(states, ["a=1", "b=2"]);
        assert_eq!(headers["x-user"], "ann");
    }
    assert_ne!(context(&sent[0]), context(&sent[1]));
}

#[tokio::test]
async fn one_without_a_trace_or_with_a_malformed_one_begins_a_trace() {
    let (_collector, _installed) = Collector::install();
    let world = World::new(TraceObserver::new());
    let malformed = PARENT.replace("00-4", "00-Z");
    for headers in [
        vec![("tracestate", "a=1")],
        vec![("traceparent", &*malformed), ("tracestate", "a=1")],
        vec![
            ("traceparent", PARENT),
            ("traceparent", PARENT),
            ("tracestate", "a=1"),
        ],
    ] {
        let sent = sent(&world, &headers).await;
        let contexts: Vec<_> = sent.iter().map(|it| context(it).unwrap()).collect();
        assert_eq!(contexts[0].trace_id(), contexts[1].trace_id());
        assert_ne!(contexts[0].span_id(), contexts[1].span_id());
        assert!(!PARENT.contains(&contexts[0].trace_id()));
        assert!(contexts[0].is_sampled());
        assert!(!sent[0].contains_key("tracestate"));
    }
}

#[tokio::test]
async fn where_nobody_collects_spans_requests_are_sent_as_they_are() {
    let world = World::new(TraceObserver::new());
    let sent = sent(&world, &[("traceparent", PARENT)]).await;
    for headers in &sent {
        assert_eq!(headers["traceparent"], PARENT);
    }
}

#[tokio::test]
async fn unless_it_is_asked_for_and_there_is_a_trace() {
    let world = World::new(TraceObserver::new().always_propagate());
    let parent = TraceContext::parse(PARENT.as_bytes()).unwrap();
    let traced = sent(&world, &[("traceparent", PARENT)]).await;
    for headers in &traced {
        let context = context(headers).unwrap();
        assert_eq!(context.trace_id(), parent.trace_id());
        assert_ne!(context.span_id(), parent.span_id());
    }
    assert_ne!(context(&traced[0]), context(&traced[1]));
    for headers in sent(&world, &[]).await {
        assert_eq!(context(&headers), None);
    }
}
