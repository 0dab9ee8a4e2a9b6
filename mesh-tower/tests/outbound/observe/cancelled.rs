//! Requests whose caller goes away, at each place where they may be waiting.

use std::{future::Future, sync::Arc};

use http_body_util::BodyExt;
use mesh_core::config::{
    FaultConfig, FaultDelay, FilterConfig, FilterKind, Fraction, ListenerConfig, RetryConditions,
    RouteMatch, SnapshotBuilder,
};
use mesh_testkit::echo::Behaviour;

use super::{
    HTTP2,
    journal::{alone, observed},
    retrying,
};
use crate::support::{
    InMemory, PROTOCOLS, SECOND, call, channel, cluster, request, route, routed, routes, server,
    silence,
};

/// Lets a request wait for a second, and drops it.
async fn give_up<T>(sending: impl Future<Output = T>) {
    let sent = tokio::time::timeout(SECOND, sending).await;
    assert!(sent.is_err(), "it was to wait");
}

#[tokio::test(start_paused = true)]
async fn while_there_is_no_configuration() {
    let net = InMemory::of([]);
    let (journal, client, _source) = observed(&net, None);
    give_up(client.send(request("/"))).await;
    assert_eq!(journal.request(), "shop cancelled");
    give_up(client.send(call("/"))).await;
    assert_eq!(journal.request(), "shop cancelled CANCELLED");
}

#[tokio::test(start_paused = true)]
async fn before_it_was_polled_it_was_no_request() {
    let (_server, journal, client) = alone(HTTP2, |_| {});
    drop(client.send(request("/")));
    journal.is_silent();
}

#[tokio::test(start_paused = true)]
async fn while_a_filter_delays_it() {
    let server = Arc::new(server(HTTP2, "only"));
    let mut listener = ListenerConfig::new("listener");
    listener.filters.push(FilterConfig {
        name: "fault".into(),
        kind: FilterKind::Fault(Arc::new(FaultConfig {
            delay: Some((FaultDelay::Fixed(10 * SECOND), Fraction::ONE)),
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
    give_up(client.send(request("/"))).await;
    assert_eq!(journal.request(), "shop/only cancelled, route only");
    assert_eq!(journal.attempts(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn while_it_waits_for_a_connection() {
    for protocol in PROTOCOLS {
        let at = cluster("only", protocol, &[silence()]);
        let net = InMemory::of([]);
        let (journal, client, _source) = observed(&net, Some(routed(at, |_| {})));
        give_up(client.send(request("/"))).await;
        assert_eq!(
            journal.request(),
            "shop/only cancelled, attempts 1+0+0, route only"
        );
        let at = silence();
        assert_eq!(
            journal.attempts(),
            [format!("shop/only 1 cancelled at {at}")]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn while_it_waits_for_an_endpoint() {
    let mut at = cluster("only", HTTP2, &[silence()]);
    at.lb.readiness = mesh_core::config::Readiness::ConnectFirst;
    let net = InMemory::of([]);
    let (journal, client, _source) = observed(&net, Some(routed(at, |_| {})));
    give_up(client.send(request("/"))).await;
    assert_eq!(
        journal.request(),
        "shop/only cancelled, attempts 1+0+0, route only"
    );
    assert_eq!(journal.attempts(), ["shop/only 1 cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn while_it_is_sent_and_while_it_waits_for_an_answer() {
    for protocol in PROTOCOLS {
        let (server, journal, client) = alone(protocol, |_| {});
        server.hold();
        give_up(client.send(request("/"))).await;
        let at = server.socket();
        assert_eq!(
            journal.request(),
            "shop/only cancelled, attempts 1+0+0, route only"
        );
        assert_eq!(
            journal.attempts(),
            [format!("shop/only 1 cancelled at {at}")]
        );

        let (_sender, body) = channel();
        let upload = http::Request::post("http://shop.test/").body(body).unwrap();
        give_up(client.send(upload)).await;
        assert_eq!(
            journal.request(),
            "shop/only cancelled, attempts 1+0+0, route only"
        );
        assert_eq!(
            journal.attempts(),
            [format!("shop/only 1 cancelled at {at}")]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn between_two_attempts() {
    let (server, journal, client) = alone(HTTP2, |forward| {
        retrying(RetryConditions::FIVE_XX)(forward);
        let mut retry = mesh_core::config::RetryPolicy::clone(forward.retry.as_deref().unwrap());
        retry.backoff.base = 1_000 * SECOND;
        retry.backoff.max = 1_000 * SECOND;
        forward.retry = Some(Arc::new(retry));
    });
    server.next(1, Behaviour::status(503));
    give_up(client.send(request("/"))).await;
    let at = server.socket();
    assert_eq!(
        journal.request(),
        "shop/only cancelled, attempts 1+0+0, route only"
    );
    assert_eq!(
        journal.attempts(),
        [format!("shop/only 1 answered 503 at {at}")]
    );
}

#[tokio::test(start_paused = true)]
async fn while_the_answers_body_is_read() {
    for protocol in PROTOCOLS {
        let (server, journal, client) = alone(protocol, |_| {});
        let long = || Behaviour {
            body_size: Some(4 << 20),
            ..Behaviour::default()
        };
        server.next(2, long());
        let mut half = client.send(request("/")).await.unwrap();
        half.frame().await.unwrap().unwrap();
        journal.is_silent();
        drop(half);
        let at = server.socket();
        assert_eq!(
            journal.request(),
            "shop/only dropped 200, attempts 1+0+0, route only"
        );
        assert_eq!(
            journal.attempts(),
            [format!("shop/only 1 dropped 200 at {at}")]
        );
        drop(client.send(call("/shop.Shop/Buy")).await.unwrap());
        let told = journal.request();
        assert_eq!(
            told,
            "shop/only dropped 200 CANCELLED, attempts 1+0+0, route only"
        );
        assert_eq!(journal.attempts().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_code_came_there_is_no_more_to_wait_for() {
    let (server, journal, client) = alone(HTTP2, |_| {});
    let mut foreign = Behaviour::status(503);
    foreign.body_size = Some(4 << 20);
    server.next(1, foreign);
    drop(client.send(call("/shop.Shop/Buy")).await.unwrap());
    let told = journal.request();
    assert_eq!(
        told,
        "shop/only answered 503 UNAVAILABLE, attempts 1+0+0, route only"
    );
}
