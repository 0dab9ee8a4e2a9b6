//! Injected faults: once per request, in front of everything that is tried again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, request, response};
use http_body_util::BodyExt;
use mesh_core::{
    ErrorKind,
    config::{
        BackoffConfig, FaultAbort, FaultConfig, FaultDelay, FilterConfig, FilterKind,
        FilterOverride, FilterOverrides, Forward, Fraction, ListenerConfig, Protocol,
        RetryConditions, RetryPolicy, RouteMatch, Snapshot, SnapshotBuilder,
    },
    filter::{FilterContext, FilterRegistry, HttpFilter, Verdict},
    source::FixedSource,
};
use mesh_testkit::echo::{Behaviour, EchoServer};
use mesh_tower::{HttpClient, Mesh};
use tokio::time::Instant;

use crate::support::{
    InMemory, PROTOCOLS, SECOND, assert_late, call, cluster, failure, get, mesh_in_memory, read,
    request, route, routes, server,
};

/// A server behind this fault; `/free` is a route without it.
fn faulty(
    protocol: Protocol,
    fault: FaultConfig,
    edit: impl FnOnce(&mut Forward),
) -> (Arc<EchoServer>, HttpClient) {
    let server = Arc::new(server(protocol, "only"));
    let cluster = cluster("only", protocol, &[server.socket()]);
    let mut free = route("free", RouteMatch::prefix("/free"), "only", |_| {});
    let off = BTreeMap::from([("fault".into(), FilterOverride::Disable)]);
    free.filter_overrides = FilterOverrides(Some(Arc::new(off)));
    let rest = route("rest", RouteMatch::prefix("/"), "only", edit);
    let mut listener = ListenerConfig::new("listener");
    listener.filters.push(FilterConfig {
        name: "fault".into(),
        kind: FilterKind::Fault(Arc::new(fault)),
        disabled: false,
    });
    let snapshot: Snapshot = SnapshotBuilder::new("listener")
        .listener(listener)
        .routes(routes("*", vec![free, rest]))
        .cluster(cluster)
        .build()
        .unwrap();
    let (mesh, _source) = mesh_in_memory(&InMemory::of([&server]), snapshot);
    (server, mesh.http_client("shop"))
}

fn delay(delay: Duration) -> FaultConfig {
    FaultConfig {
        delay: Some((FaultDelay::Fixed(delay), Fraction::ONE)),
        ..FaultConfig::default()
    }
}

fn abort(abort: FaultAbort) -> FaultConfig {
    FaultConfig {
        abort: Some((abort, Fraction::ONE)),
        ..FaultConfig::default()
    }
}

fn retried(forward: &mut Forward) {
    forward.retry = Some(Arc::new(RetryPolicy {
        on: RetryConditions::FIVE_XX,
        status_codes: Vec::new(),
        num_retries: 2,
        per_try_timeout: None,
        backoff: BackoffConfig::default(),
    }));
}

#[tokio::test(start_paused = true)]
async fn a_request_is_delayed_then_aborted_and_never_sent() {
    for protocol in PROTOCOLS {
        let fault = FaultConfig {
            delay: delay(SECOND).delay,
            ..abort(FaultAbort::Http(503))
        };
        // An abort is final: a policy that answers to 503 does not see it.
        let (server, client) = faulty(protocol, fault, retried);
        let start = Instant::now();
        let answer = client.send(request("/")).await.unwrap();
        assert!(start.elapsed() >= SECOND && start.elapsed() < SECOND * 2);
        assert_eq!(answer.status(), 503);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "fault filter abort");
        assert_eq!(server.connections(), 0);
        assert_eq!(get(&client, "/free").await.serial, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_of_grpc_gets_a_status() {
    for protocol in PROTOCOLS {
        for (fault, code) in [(FaultAbort::Grpc(7), "7"), (FaultAbort::Http(503), "14")] {
            let (server, client) = faulty(protocol, abort(fault), |_| {});
            let answer = client.send(call("/shop.Shop/Buy")).await.unwrap();
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.headers()["grpc-status"], code);
            assert_eq!(answer.headers()["content-type"], "application/grpc");
            assert_eq!(server.connections(), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_requests_headers_ask_for_faults() {
    let denominator = 100;
    for protocol in PROTOCOLS {
        let fault = FaultConfig {
            delay: Some((FaultDelay::Header { denominator }, Fraction::ONE)),
            ..abort(FaultAbort::Header { denominator })
        };
        let (server, client) = faulty(protocol, fault, |_| {});
        assert_eq!(get(&client, "/").await.serial, 1);
        let ask = |share: &str| {
            Request::get("http://shop.test/")
                .header("x-envoy-fault-delay-request", "1500")
                .header("x-envoy-fault-abort-request", "418")
                .header("x-envoy-fault-abort-request-percentage", share)
                .body(String::new())
                .unwrap()
        };
        let start = Instant::now();
        let answer = client.send(ask("100")).await.unwrap();
        assert_eq!(answer.status(), 418);
        assert_eq!(server.count(), 1);
        let answer = client.send(ask("0")).await.unwrap();
        assert_eq!(answer.status(), 200);
        let took = start.elapsed();
        assert!(took >= SECOND * 3 && took < SECOND * 4, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_is_delayed_once_however_often_it_is_sent() {
    for protocol in PROTOCOLS {
        let (server, client) = faulty(protocol, delay(SECOND), retried);
        server.next(2, Behaviour::status(503));
        let start = Instant::now();
        assert_eq!(get(&client, "/").await.serial, 3);
        let took = start.elapsed();
        assert!(took >= SECOND && took < SECOND * 3 / 2, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_held_than_may_be() {
    for protocol in PROTOCOLS {
        let fault = FaultConfig {
            max_active: Some(1),
            ..delay(SECOND)
        };
        let (_server, client) = faulty(protocol, fault, |_| {});
        get(&client, "/free").await;
        let start = Instant::now();
        let ask = || async {
            get(&client, "/").await;
            start.elapsed()
        };
        let mut both = <[_; 2]>::from(tokio::join!(ask(), ask()));
        both.sort_unstable();
        assert!(both[0] < SECOND / 2 && both[1] >= SECOND, "{both:?}");
        // The place is free again.
        get(&client, "/third").await;
        assert!(start.elapsed() >= SECOND * 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_counts_against_the_deadline() {
    for protocol in PROTOCOLS {
        let (server, client) = faulty(protocol, delay(SECOND * 10), |forward| {
            forward.stream.max_stream_duration = Some(SECOND);
        });
        let start = Instant::now();
        let error = failure(&client, request("/")).await;
        assert_late(&error, ErrorKind::StreamDeadline, start, SECOND);
        assert_eq!(server.connections(), 0);
    }
}

/// A filter of a program: marks requests and answers with its configuration.
#[derive(Debug)]
struct Mark(HeaderValue);

impl HttpFilter for Mark {
    fn on_request(&self, _: &mut FilterContext<'_>, head: &mut request::Parts) -> Verdict {
        head.headers.insert("x-mark", self.0.clone());
        Verdict::Continue
    }

    fn on_response(&self, _: &mut FilterContext<'_>, head: &mut response::Parts) {
        head.headers.insert("x-marked", self.0.clone());
    }
}

#[tokio::test]
async fn a_filter_of_the_program_sees_requests_and_answers() {
    const MARK: &str = "type.googleapis.com/shop.Mark";
    let mark = |value: &'static str| FilterKind::Custom {
        type_url: MARK.into(),
        value: Bytes::from_static(value.as_bytes()),
    };
    for protocol in PROTOCOLS {
        let server = server(protocol, "only");
        let own = BTreeMap::from([("mark".into(), FilterOverride::Replace(mark("own")))]);
        let mut other = route("own", RouteMatch::prefix("/own"), "only", |_| {});
        other.filter_overrides = FilterOverrides(Some(Arc::new(own)));
        let rest = route("rest", RouteMatch::prefix("/"), "only", |_| {});
        let mut listener = ListenerConfig::new("listener");
        listener.filters.push(FilterConfig {
            name: "mark".into(),
            kind: mark("listener"),
            disabled: false,
        });
        let snapshot = SnapshotBuilder::new("listener")
            .listener(listener)
            .routes(routes("*", vec![other, rest]))
            .cluster(cluster("only", protocol, &[server.socket()]))
            .build()
            .unwrap();
        let mut filters = FilterRegistry::default();
        filters.register(MARK, |bytes| {
            let value = HeaderValue::from_bytes(bytes).unwrap();
            Ok(Arc::new(Mark(value)))
        });
        let source = FixedSource::new();
        source.set("shop", snapshot);
        let mesh = Mesh::builder().source(source).filters(filters);
        let client = mesh.spawn().unwrap().http_client("shop");
        for (path, expected) in [("/own", "own"), ("/", "listener")] {
            let answer = client.send(request(path)).await.unwrap();
            assert_eq!(answer.headers()["x-marked"], expected);
            assert_eq!(read(answer).await.headers["x-mark"], [expected]);
        }
    }
}
