//! What observers are told: each request and each attempt once, however it ends.

mod cancelled;
mod journal;

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use mesh_core::{
    ErrorKind,
    config::{
        BackoffConfig, ClusterEntry, FaultAbort, FaultConfig, FilterConfig, FilterKind, Forward,
        Fraction, ListenerConfig, Protocol, RetryConditions, RetryPolicy, RouteMatch,
        SnapshotBuilder,
    },
};
use mesh_testkit::echo::Behaviour;

use self::journal::{alone, observed};
use crate::support::{
    InMemory, PROTOCOLS, SECOND, call, cluster, failure, get, nowhere, read, request, route,
    routed, routes, server,
};

const HTTP2: Protocol = PROTOCOLS[1];

fn retrying(on: RetryConditions) -> impl FnOnce(&mut Forward) {
    move |forward| {
        forward.retry = Some(Arc::new(RetryPolicy {
            on,
            status_codes: Vec::new(),
            num_retries: 2,
            per_try_timeout: None,
            backoff: BackoffConfig::default(),
        }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_is_told_when_its_body_has_been_read() {
    for protocol in PROTOCOLS {
        let (server, journal, client) = alone(protocol, |_| {});
        let answer = client.send(request("/a?b=c")).await.unwrap();
        journal.is_silent();
        read(answer).await;
        let at = server.socket();
        assert_eq!(
            journal.request(),
            "shop/only answered 200, attempts 1+0+0, route only"
        );
        assert_eq!(
            journal.attempts(),
            [format!("shop/only 1 answered 200 at {at}")]
        );

        // An answer of any status is one; without a body it has ended with its head.
        server.next(
            1,
            Behaviour {
                body_size: Some(0),
                ..Behaviour::status(404)
            },
        );
        drop(client.send(request("/")).await.unwrap());
        assert_eq!(
            journal.request(),
            "shop/only answered 404, attempts 1+0+0, route only"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_watch_is_asked_once_and_told_nothing() {
    let (server, journal, client) = alone(HTTP2, retrying(RetryConditions::FIVE_XX));
    // There is configuration from here on.
    get(&client, "/").await;
    assert_eq!((journal.requests().len(), journal.attempts().len()), (1, 1));
    journal.asked();
    journal.close(true);
    // Answered at the second attempt, refused by the endpoint, given up half way.
    server.next(1, Behaviour::status(503));
    assert_eq!(get(&client, "/").await.serial, 3);
    assert_eq!(journal.asked(), 1);
    server.next(3, Behaviour::reset(h2::Reason::ENHANCE_YOUR_CALM));
    client.send(call("/shop.Shop/Buy")).await.unwrap_err();
    drop(client.send(request("/")).await.unwrap());
    assert_eq!(journal.asked(), 2);
    journal.is_silent();
    // What began unwatched ends so; what begins after that is told.
    let answer = client.send(request("/")).await.unwrap();
    journal.close(false);
    read(answer).await;
    journal.is_silent();
    assert_eq!(journal.attempts(), [""; 0]);
    get(&client, "/").await;
    assert_eq!(
        journal.request(),
        "shop/only answered 200, attempts 1+0+0, route only"
    );
    assert_eq!(journal.attempts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_watch_is_told_of_no_request_without_a_cluster() {
    let net = InMemory::of([]);
    let (journal, client, source) = observed(&net, None);
    journal.close(true);
    let waiting = tokio::time::timeout(SECOND, client.send(request("/")));
    waiting.await.unwrap_err();
    let listener = ListenerConfig::new("listener");
    let empty = SnapshotBuilder::new("listener").listener(listener);
    source.set(
        "shop",
        empty.routes(routes("*", Vec::new())).build().unwrap(),
    );
    let error = client.send(request("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoRoute);
    // The second one waited too, and was asked for again behind that.
    assert_eq!(journal.asked(), 3);
    journal.is_silent();
}

#[tokio::test(start_paused = true)]
async fn a_grpc_call_is_told_with_its_code() {
    let (server, journal, client) = alone(HTTP2, |_| {});
    let trailer = |code| Behaviour::default().with_trailer("grpc-status", code);
    let rows = [
        (trailer("0"), "answered 200 OK"),
        (trailer("5"), "answered 200 NOT_FOUND"),
        (
            Behaviour::default().with_header("grpc-status", "8"),
            "answered 200 RESOURCE_EXHAUSTED",
        ),
        (Behaviour::status(503), "answered 503 UNAVAILABLE"),
        // Cut short without a word.
        (Behaviour::default(), "answered 200 UNKNOWN"),
        (
            Behaviour::reset(h2::Reason::ENHANCE_YOUR_CALM),
            "Reset RESOURCE_EXHAUSTED",
        ),
    ];
    for (behaviour, ended) in rows {
        server.next(1, behaviour);
        if let Ok(answer) = client.send(call("/shop.Shop/Buy")).await {
            answer.into_body().collect().await.unwrap();
        }
        let told = journal.request();
        assert_eq!(
            told,
            format!("shop/only {ended}, attempts 1+0+0, route only")
        );
        let attempts = journal.attempts();
        assert!(
            attempts[0].starts_with(&format!("shop/only 1 {ended}")),
            "{attempts:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_told_and_retries_are_counted_by_sort() {
    for protocol in PROTOCOLS {
        let (server, journal, client) = alone(protocol, retrying(RetryConditions::FIVE_XX));
        server.next(2, Behaviour::status(503));
        get(&client, "/").await;
        let at = server.socket();
        assert_eq!(
            journal.request(),
            "shop/only answered 200, attempts 1+2+0, route only"
        );
        let attempts = journal.attempts();
        let due = [(1, 503), (2, 503), (3, 200)]
            .map(|(number, status)| format!("shop/only {number} answered {status} at {at}"));
        assert_eq!(attempts, due);
    }
    let (server, journal, client) = alone(HTTP2, retrying(RetryConditions::FIVE_XX));
    server.next(1, Behaviour::reset(h2::Reason::REFUSED_STREAM));
    server.next(1, Behaviour::status(503));
    get(&client, "/").await;
    assert_eq!(
        journal.request(),
        "shop/only answered 200, attempts 1+1+1, route only"
    );
    let attempts = journal.attempts();
    assert!(
        attempts[0].starts_with("shop/only 1 Reset at "),
        "{attempts:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_before_a_cluster_is_chosen_is_told_to_the_target() {
    let server = Arc::new(server(HTTP2, "only"));
    let net = InMemory::of([&server]);
    let at = cluster("only", HTTP2, &[server.socket()]);
    let known = route("known", RouteMatch::prefix("/known"), "only", |_| {});
    let gone = route("gone", RouteMatch::prefix("/gone"), "gone", |_| {});
    let snapshot = SnapshotBuilder::new("listener")
        .routes(routes("*", vec![known, gone]))
        .cluster(at)
        .cluster(cluster("gone", HTTP2, &[]))
        .build();
    let mut snapshot = snapshot.unwrap();
    let reason = ClusterEntry::Unavailable("it was not sent".into());
    snapshot.clusters.insert("gone".into(), reason);
    let (journal, client, _source) = observed(&net, Some(snapshot));
    assert_eq!(
        failure(&client, request("/")).await.kind(),
        ErrorKind::NoRoute
    );
    assert_eq!(journal.request(), "shop NoRoute");
    assert_eq!(failure(&client, call("/")).await.kind(), ErrorKind::NoRoute);
    assert_eq!(journal.request(), "shop NoRoute UNAVAILABLE");
    assert_eq!(
        failure(&client, request("/gone")).await.kind(),
        ErrorKind::NoCluster
    );
    assert_eq!(journal.request(), "shop NoCluster");

    let error = Err::<Frame<Bytes>, _>(std::io::Error::other("disk"));
    let broken = StreamBody::new(futures_util::stream::iter([error]));
    let broken = Request::post("http://shop.test/known").body(broken);
    let error = failure(&client, broken.unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert_eq!(journal.request(), "shop BadRequest");
    assert_eq!(journal.attempts(), [""; 0]);

    let (journal, client, _source) = observed(&net, None);
    assert_eq!(
        failure(&client, call("/")).await.kind(),
        ErrorKind::NotReady
    );
    assert_eq!(journal.request(), "shop NotReady UNAVAILABLE");
}

#[tokio::test(start_paused = true)]
async fn one_that_waited_for_configuration_belongs_to_its_cluster_after_all() {
    let server = Arc::new(server(HTTP2, "only"));
    let net = InMemory::of([&server]);
    let (journal, client, source) = observed(&net, None);
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { get(&client, "/").await }
    });
    tokio::time::sleep(SECOND).await;
    journal.is_silent();
    let cluster = cluster("only", HTTP2, &[server.socket()]);
    source.set("shop", routed(cluster, |_| {}));
    waiting.await.unwrap();
    assert_eq!(
        journal.request(),
        "shop/only answered 200, attempts 1+0+0, route only"
    );
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_cannot_be_reached_is_named() {
    let server = Arc::new(server(HTTP2, "only"));
    let net = InMemory::of([&server]);
    let dead = cluster("only", HTTP2, &[nowhere()]);
    let (journal, client, _source) = observed(&net, Some(routed(dead, |_| {})));
    assert_eq!(
        failure(&client, request("/")).await.kind(),
        ErrorKind::Connect
    );
    let at = nowhere();
    assert_eq!(
        journal.request(),
        "shop/only Connect, attempts 1+0+0, route only"
    );
    assert_eq!(journal.attempts(), [format!("shop/only 1 Connect at {at}")]);
}

#[tokio::test(start_paused = true)]
async fn limits_of_time_are_told_wherever_they_strike() {
    for protocol in PROTOCOLS {
        let (server, journal, client) = alone(protocol, |forward| {
            forward.stream.max_stream_duration = Some(SECOND);
        });
        server.hold();
        failure(&client, request("/")).await;
        let at = server.socket();
        assert_eq!(
            journal.request(),
            "shop/only StreamDeadline, attempts 1+0+0, route only"
        );
        assert_eq!(
            journal.attempts(),
            [format!("shop/only 1 StreamDeadline at {at}")]
        );

        let (server, journal, client) = alone(protocol, |forward| {
            retrying(RetryConditions::FIVE_XX)(forward);
            let mut retry = RetryPolicy::clone(forward.retry.as_deref().unwrap());
            retry.per_try_timeout = Some(SECOND);
            forward.retry = Some(Arc::new(retry));
        });
        server.next(
            1,
            Behaviour {
                delay: 10 * SECOND,
                ..Behaviour::default()
            },
        );
        get(&client, "/").await;
        let at = server.socket();
        assert_eq!(
            journal.request(),
            "shop/only answered 200, attempts 1+1+0, route only"
        );
        let due = ["1 AttemptTimeout", "2 answered 200"];
        assert_eq!(
            journal.attempts(),
            due.map(|line| format!("shop/only {line} at {at}"))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_off_or_does_not_end_is_a_failure() {
    for protocol in PROTOCOLS {
        let (server, journal, client) = alone(protocol, |forward| {
            forward.stream.max_stream_duration = Some(SECOND);
        });
        let at = server.socket();
        let mut broken = Behaviour::reset(h2::Reason::INTERNAL_ERROR);
        broken.reset_after = Some(10);
        server.next(1, broken);
        let answer = client.send(request("/")).await.unwrap();
        let error = answer.into_body().collect().await.unwrap_err();
        let kind = error.kind();
        let told = journal.request();
        assert_eq!(
            told,
            format!("shop/only {kind:?} 200, attempts 1+0+0, route only")
        );
        let due = format!("shop/only 1 {kind:?} 200 at {at}");
        assert_eq!(journal.attempts(), [due]);

        // The server stops in the middle: what it sends is not read before the deadline.
        let size = Some(64 << 20);
        server.next(
            1,
            Behaviour {
                body_size: size,
                ..Behaviour::default()
            },
        );
        let mut answer = client.send(request("/")).await.unwrap();
        tokio::time::advance(2 * SECOND).await;
        while let Some(Ok(_)) = answer.frame().await {}
        assert_eq!(
            journal.request(),
            "shop/only StreamDeadline 200, attempts 1+0+0, route only"
        );
        let due = format!("shop/only 1 StreamDeadline 200 at {at}");
        assert_eq!(journal.attempts(), [due]);
        // What is told once is not told again.
        drop(answer);
        journal.is_silent();
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_filter_answers_is_told_without_an_attempt() {
    let server = Arc::new(server(HTTP2, "only"));
    let mut listener = ListenerConfig::new("listener");
    let status = FaultAbort::Grpc(10);
    listener.filters.push(FilterConfig {
        name: "fault".into(),
        kind: FilterKind::Fault(Arc::new(FaultConfig {
            abort: Some((status, Fraction::ONE)),
            ..FaultConfig::default()
        })),
        disabled: false,
    });
    let only = route("only", RouteMatch::prefix("/"), "only", |_| {});
    let snapshot = SnapshotBuilder::new("listener")
        .listener(listener)
        .routes(routes("*", vec![only]))
        .cluster(cluster("only", HTTP2, &[server.socket()]))
        .build()
        .unwrap();
    let (journal, client, _source) = observed(&InMemory::of([&server]), Some(snapshot));
    drop(client.send(call("/shop.Shop/Buy")).await.unwrap());
    let told = journal.request();
    assert_eq!(told, "shop/only answered 200 ABORTED, route only");
    assert_eq!(journal.attempts(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn pairs_are_asked_for_once_and_kept_while_they_stay() {
    let server = Arc::new(server(HTTP2, "only"));
    let net = InMemory::of([&server]);
    let one = || cluster("one", HTTP2, &[server.socket()]);
    let two = || cluster("two", HTTP2, &[server.socket()]);
    let (journal, client, source) = observed(&net, Some(routed(one(), |_| {})));
    get(&client, "/").await;
    assert_eq!(journal.watches(), ["shop", "shop/one"]);
    // Another policy for the same cluster.
    source.set(
        "shop",
        routed(one(), |forward| forward.timeout = Some(SECOND)),
    );
    get(&client, "/").await;
    assert_eq!(journal.watches(), [""; 0]);
    source.set("shop", routed(two(), |_| {}));
    journal.requests();
    while !journal
        .requests()
        .iter()
        .any(|told| told.starts_with("shop/two"))
    {
        get(&client, "/").await;
    }
    assert_eq!(journal.watches(), ["shop/two"]);
}
