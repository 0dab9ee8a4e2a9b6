//! HTTP/1: one request a connection.

use std::time::Duration;

use futures_util::FutureExt;
use mesh_core::ErrorKind;
use mesh_testkit::echo::Behaviour;
use tokio::{io::AsyncWriteExt as _, time::advance};

use super::{script::later, *};

fn limited(config: &mut ClusterConfig, connections: u32) {
    config.limits.max_connections = connections;
}

/// A request whose connection is in use until the answer has been read.
async fn busy(fixture: &Fixture, server: &EchoServer) -> Response<ResponseBody> {
    server.next(1, large());
    soon(fixture.send()).await.unwrap()
}

/// An answer that does not come in one read.
fn large() -> Behaviour {
    Behaviour {
        body_size: Some(1 << 20),
        ..Behaviour::default()
    }
}

async fn finish(response: Response<ResponseBody>) {
    let body = soon(response.into_body().collect()).await.unwrap();
    assert_eq!(body.to_bytes().len(), 1 << 20);
}

#[tokio::test(start_paused = true)]
async fn the_connection_used_last_is_used_first() {
    let server = server(HTTP1);
    let fixture = Fixture::new(HTTP1, Answer::Serve(Arc::clone(&server)));
    server.hold();
    let sending: Vec<_> = (0..3).map(|_| tokio::spawn(fixture.send())).collect();
    server.wait_for("three", |it| it.in_flight() == 3).await;
    server.release();
    for sending in sending {
        soon(sending).await.unwrap().unwrap();
    }
    assert_eq!(fixture.script.dials(), 3);
    // Two are taken, and come back in this order.
    let answers = [busy(&fixture, &server).await, busy(&fixture, &server).await];
    let third = fixture.get().await.connection;
    for answer in answers {
        let before = fixture.get().await.connection;
        finish(answer).await;
        let now = fixture.get().await.connection;
        assert_ne!(before, now);
        for _ in 0..3 {
            assert_eq!(fixture.get().await.connection, now);
        }
        assert_ne!(now, third);
    }
}

#[tokio::test(start_paused = true)]
async fn over_the_limit_requests_wait_in_line() {
    let server = server(HTTP1);
    let answer = Answer::Serve(Arc::clone(&server));
    let fixture = Fixture::with(HTTP1, answer, |config| limited(config, 2));
    let sending = fixture.start(40);
    for sending in sending {
        soon(sending).await.unwrap().unwrap();
    }
    assert_eq!(fixture.script.dials(), 2);
    assert_eq!(server.count(), 40);
    assert_eq!(fixture.cluster.connections(), 2);
    assert_eq!(fixture.cluster.pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_connection_counts_until_it_is_closed() {
    let server = server(HTTP1);
    server.next(1, large().with_header("connection", "close"));
    let answer = Answer::Serve(Arc::clone(&server));
    let fixture = Fixture::with(HTTP1, answer, |config| limited(config, 1));
    let first = soon(fixture.send()).await.unwrap();
    let second = tokio::spawn(fixture.send());
    settle().await;
    assert_eq!(
        fixture.script.dials(),
        1,
        "the response is still being read"
    );
    finish(first).await;
    let second = soon(second).await.unwrap().unwrap();
    assert_eq!(read(second).await.connection, 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_carries_no_more_requests_than_it_may() {
    let server = server(HTTP1);
    let answer = Answer::Serve(Arc::clone(&server));
    let fixture = Fixture::with(HTTP1, answer, |config| {
        config.max_requests_per_connection = Some(2);
        limited(config, 1);
    });
    let mut connections = Vec::new();
    for _ in 0..5 {
        connections.push(fixture.get().await.connection);
    }
    assert_eq!(connections, [1, 1, 2, 2, 3]);
    // The last request of a connection keeps its place until it has ended.
    let third = busy(&fixture, &server).await;
    let fourth = tokio::spawn(fixture.send());
    settle().await;
    assert_eq!(fixture.script.dials(), 3);
    finish(third).await;
    assert_eq!(
        read(soon(fourth).await.unwrap().unwrap()).await.connection,
        4
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_closed_once_it_was_idle_for_the_timeout() {
    let server = server(HTTP1);
    let answer = Answer::Serve(Arc::clone(&server));
    let fixture = Fixture::with(HTTP1, answer, |config| {
        config.idle_timeout = Some(Duration::from_secs(10));
    });
    fixture.get().await;
    advance(Duration::from_secs(8)).await;
    assert_eq!(fixture.get().await.connection, 1);
    settle().await;
    advance(Duration::from_millis(9_900)).await;
    settle().await;
    assert!(fixture.is(Connectivity::Ready));
    advance(Duration::from_millis(200)).await;
    until("idle", || fixture.is(Connectivity::Idle)).await;
    assert_eq!(fixture.tasks(), 0);
    assert_eq!(fixture.get().await.connection, 2);
}

#[tokio::test(start_paused = true)]
async fn requests_survive_a_peer_that_closes_its_idle_connections() {
    for close_unseen in [false, true] {
        let server = server(HTTP1);
        let fixture = Fixture::new(HTTP1, Answer::Serve(Arc::clone(&server)));
        server.hold();
        let sending = fixture.start(8);
        server.wait_for("eight", |it| it.in_flight() == 8).await;
        server.release();
        for sending in sending {
            soon(sending).await.unwrap().unwrap();
        }
        server.disconnect().await;
        if !close_unseen {
            until("idle", || fixture.is(Connectivity::Idle)).await;
        }
        assert_eq!(fixture.get().await.connection, 9);
        until("one connection", || fixture.cluster.connections() == 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_dial_beside_a_busy_connection_fails_only_who_waited_longest() {
    let server = server(HTTP1);
    let fixture = Fixture::new(HTTP1, Answer::Serve(Arc::clone(&server)));
    let busy = busy(&fixture, &server).await;
    let (tell, answer) = later();
    fixture.script.next(answer);
    fixture.script.always(Answer::Hang);
    let first = tokio::spawn(fixture.send());
    until("one waits", || fixture.cluster.pending() == 1).await;
    let second = tokio::spawn(fixture.send());
    until("two wait", || fixture.cluster.pending() == 2).await;
    tell.send(Answer::Refuse).unwrap();
    let failed = soon(first).await.unwrap().unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::Connect);
    assert!(fixture.is(Connectivity::Ready));
    finish(busy).await;
    assert_eq!(
        read(soon(second).await.unwrap().unwrap()).await.connection,
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_dial_beside_a_busy_connection_is_not_repeated_at_once() {
    let server = server(HTTP1);
    server.hold();
    let fixture = Fixture::new(HTTP1, Answer::Serve(Arc::clone(&server)));
    let busy = fixture.start(1);
    server.wait_for("one", |it| it.in_flight() == 1).await;
    fixture.script.always(Answer::Refuse);
    for told in fixture.start(1) {
        soon(told).await.unwrap().unwrap_err();
    }
    let waiting = fixture.start(5);
    settle().await;
    assert_eq!(fixture.script.dials(), 2);
    fixture.script.always(Answer::Serve(Arc::clone(&server)));
    server.wait_for("all", |it| it.in_flight() == 6).await;
    server.release();
    for sending in busy.into_iter().chain(waiting) {
        soon(sending).await.unwrap().unwrap();
    }
    assert_eq!(server.count(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_first_failure_stops_further_dials_while_others_hang() {
    let fixture = Fixture::with(HTTP1, Answer::Hang, |config| {
        config.connect_timeout = Duration::from_secs(5);
    });
    let mut sending = Vec::new();
    // One a second, each with a dial of its own, until the first has failed.
    for _ in 0..6 {
        sending.extend(fixture.start(1));
        settle().await;
        advance(Duration::from_secs(1)).await;
    }
    settle().await;
    assert!(fixture.is(Connectivity::Failed));
    let dials = fixture.script.dials();
    assert_eq!(dials, 5);
    let failed = fixture.send().await.unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::ConnectTimeout);
    assert_eq!(fixture.script.dials(), dials);
    for sending in sending {
        soon(sending).await.unwrap().unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_given_up_in_line_leaves_nothing_behind() {
    let server = server(HTTP1);
    let answer = Answer::Serve(Arc::clone(&server));
    let fixture = Fixture::with(HTTP1, answer, |config| limited(config, 1));
    let busy = busy(&fixture, &server).await;
    for _ in 0..1000 {
        let sending = fixture.start(1);
        until("it waits", || fixture.cluster.pending() == 1).await;
        sending[0].abort();
        until("it left", || fixture.cluster.pending() == 0).await;
    }
    let Pool::Http1(pool) = &*fixture.pool else {
        panic!("another pool")
    };
    assert_eq!(pool.queued(), 0);
    let waiting = tokio::spawn(fixture.send());
    until("it waits", || fixture.cluster.pending() == 1).await;
    finish(busy).await;
    assert_eq!(
        read(soon(waiting).await.unwrap().unwrap()).await.connection,
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_given_to_a_request_that_is_gone_goes_to_the_next() {
    let server = server(HTTP1);
    let answer = Answer::Serve(Arc::clone(&server));
    let fixture = Fixture::with(HTTP1, answer, |config| limited(config, 1));
    let busy = busy(&fixture, &server).await;
    let mut gone = Box::pin(fixture.send());
    assert!((&mut gone).now_or_never().is_none());
    let mut next = Box::pin(fixture.send());
    assert!((&mut next).now_or_never().is_none());
    // Reading it gives the connection to the first in line, which is dropped before it looks.
    finish(busy).await;
    drop(gone);
    assert_eq!(read(soon(next).await.unwrap()).await.connection, 1);
    assert_eq!(fixture.script.dials(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_has_spent_its_budget_takes_no_closed_connection() {
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let fixture = Fixture::new(HTTP1, Answer::Accept);
    let mut accepted = fixture.script.accept();
    let sent = tokio::spawn(fixture.send());
    let mut first = soon(accepted.recv()).await.unwrap();
    first.write_all(OK).await.unwrap();
    soon(sent).await.unwrap().unwrap();
    settle().await;
    let again = fixture.send();
    let again = tokio::spawn(async move {
        // It still reads, or writing would tell.
        first.shutdown().await.unwrap();
        while tokio::task::coop::has_budget_remaining() {
            tokio::task::coop::consume_budget().await;
        }
        (again.await, first)
    });
    let mut second = soon(accepted.recv()).await.unwrap();
    second.write_all(OK).await.unwrap();
    soon(again).await.unwrap().0.unwrap();
}
