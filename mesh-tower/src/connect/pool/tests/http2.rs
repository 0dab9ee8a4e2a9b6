//! HTTP/2: many requests a connection.

use std::time::Duration;

use mesh_core::ErrorKind;
use tokio::time::advance;

use super::{script::later, *};

fn server_with(streams: u32) -> Arc<EchoServer> {
    Arc::new(EchoServer::http2().max_concurrent_streams(streams).start())
}

#[tokio::test(start_paused = true)]
async fn a_hundred_first_requests_share_one_connection() {
    let server = server(http2());
    let (tell, answer) = later();
    let fixture = Fixture::new(http2(), answer);
    let sending = fixture.start(100);
    until("all wait", || fixture.cluster.pending() == 100).await;
    tell.send(Answer::Serve(Arc::clone(&server))).unwrap();
    for sending in sending {
        soon(sending).await.unwrap().unwrap();
    }
    assert_eq!(fixture.script.dials(), 1);
    assert_eq!(fixture.cluster.pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_peers_limit_of_streams_holds_from_the_first_request() {
    let server = server_with(3);
    server.hold();
    let answer = Answer::Serve(Arc::clone(&server));
    let fixture = Fixture::with(http2(), answer, |config| config.limits.max_connections = 2);
    let sending = fixture.start(20);
    server.wait_for("two full", |it| it.in_flight() == 6).await;
    settle().await;
    assert_eq!((server.in_flight(), fixture.script.dials()), (6, 2));
    assert_eq!(fixture.cluster.pending(), 14);
    server.release();
    for sending in sending {
        soon(sending).await.unwrap().unwrap();
    }
    // None was refused and sent again.
    assert_eq!(server.count(), 20);
    assert_eq!(fixture.script.dials(), 2);
}

#[tokio::test(start_paused = true)]
async fn our_own_limit_of_streams_holds_too() {
    let server = server(http2());
    server.hold();
    let config = Http2Config {
        max_concurrent_streams: 2,
        ..Http2Config::default()
    };
    let answer = Answer::Serve(Arc::clone(&server));
    let fixture = Fixture::with(Protocol::Http2(config), answer, |config| {
        config.limits.max_connections = 1;
    });
    let sending = fixture.start(5);
    server.wait_for("two", |it| it.in_flight() == 2).await;
    settle().await;
    assert_eq!((server.in_flight(), fixture.script.dials()), (2, 1));
    server.release();
    for sending in sending {
        soon(sending).await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_begin_http2_cannot_be_connected_to() {
    for answer in [Answer::Silence, Answer::Die, Answer::Serve(server(HTTP1))] {
        let silent = matches!(answer, Answer::Silence);
        let fixture = Fixture::new(http2(), answer);
        let failed = soon(fixture.send()).await.unwrap_err();
        let kind = match silent {
            true => ErrorKind::ConnectTimeout,
            false => ErrorKind::Connect,
        };
        assert_eq!(failed.error.kind(), kind, "{}", failed.error);
        assert!(fixture.is(Connectivity::Failed));
        assert_eq!(fixture.script.dials(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_a_stream_move_on_when_the_connection_ends() {
    for goaway in [false, true] {
        let server = server_with(1);
        server.hold();
        let answer = Answer::Serve(Arc::clone(&server));
        let fixture = Fixture::with(http2(), answer, |config| config.limits.max_connections = 1);
        let busy = fixture.start(1);
        server.wait_for("one", |it| it.in_flight() == 1).await;
        let waiting = fixture.start(10);
        until("ten wait", || fixture.cluster.pending() == 10).await;
        let next = server_with(1);
        fixture.script.always(Answer::Serve(Arc::clone(&next)));
        if goaway {
            server.goaway();
            server.release();
            for sending in busy {
                soon(sending).await.unwrap().unwrap();
            }
        } else {
            server.disconnect().await;
            server.release();
            for sending in busy {
                soon(sending).await.unwrap().unwrap_err();
            }
        }
        for sending in waiting {
            soon(sending).await.unwrap().unwrap();
        }
        assert_eq!(next.count(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_dial_beside_a_busy_connection_is_not_held_against_those_who_wait() {
    let server = server_with(1);
    server.hold();
    let fixture = Fixture::new(http2(), Answer::Serve(Arc::clone(&server)));
    let busy = fixture.start(1);
    server.wait_for("one", |it| it.in_flight() == 1).await;
    fixture.script.always(Answer::Refuse);
    let waiting = fixture.start(1);
    until("it was dialled", || fixture.script.dials() == 2).await;
    settle().await;
    // Not again at once, for whoever comes.
    let more = fixture.start(5);
    settle().await;
    assert_eq!(fixture.script.dials(), 2);
    assert!(fixture.is(Connectivity::Ready));
    let next = server_with(1);
    fixture.script.always(Answer::Serve(Arc::clone(&next)));
    server.release();
    server.disconnect().await;
    for sending in busy {
        let _ = soon(sending).await.unwrap();
    }
    for sending in waiting.into_iter().chain(more) {
        soon(sending).await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_in_wait_dials_again_after_a_failure() {
    let server = server_with(1);
    server.hold();
    let fixture = Fixture::new(http2(), Answer::Serve(Arc::clone(&server)));
    let _busy = fixture.start(1);
    server.wait_for("one", |it| it.in_flight() == 1).await;
    fixture.script.next(Answer::Refuse);
    fixture.script.next(Answer::Refuse);
    let _waiting = fixture.start(1);
    server.wait_for("two", |it| it.in_flight() == 2).await;
    assert_eq!(fixture.script.dials(), 4);
}

#[tokio::test(start_paused = true)]
async fn no_request_is_lost_to_connections_that_go_away_under_load() {
    let server = server(http2());
    let fixture = Fixture::new(http2(), Answer::Serve(Arc::clone(&server)));
    let fixture = Arc::new(fixture);
    let workers = (0..20).map(|_| {
        let fixture = Arc::clone(&fixture);
        tokio::spawn(async move {
            for _ in 0..200 {
                // The retry layer sends again what the peer says that it did not process.
                match soon(fixture.send()).await {
                    Ok(response) => drop(read(response).await),
                    Err(failed) => {
                        let error = failed.error;
                        assert!(!error.was_sent(), "{error}");
                        assert_eq!(error.h2_reason(), Some(7), "{error}");
                    }
                }
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    let mut rounds = 0;
    while !workers.iter().all(tokio::task::JoinHandle::is_finished) {
        // Somewhere between queued and answered, elsewhere each time.
        rounds += 1;
        for _ in 0..=rounds % 23 {
            tokio::task::yield_now().await;
        }
        server.goaway();
    }
    for worker in workers {
        worker.await.unwrap();
    }
    let dials = fixture.script.dials();
    assert!(dials >= 10, "only {dials} connections went away");
    until("one connection", || fixture.cluster.connections() <= 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_carries_no_more_requests_than_it_may() {
    let server = server(http2());
    let answer = Answer::Serve(Arc::clone(&server));
    let fixture = Fixture::with(http2(), answer, |config| {
        config.max_requests_per_connection = Some(3);
    });
    let sending = fixture.start(30);
    let mut carried = std::collections::BTreeMap::new();
    for sending in sending {
        let report = soon(sending).await.unwrap().unwrap();
        *carried.entry(report.connection).or_insert(0) += 1;
    }
    assert!(carried.values().all(|count| *count == 3), "{carried:?}");
    assert_eq!(server.count(), 30);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_one_to_two_timeouts() {
    let server = server(http2());
    let answer = Answer::Serve(Arc::clone(&server));
    let fixture = Fixture::with(http2(), answer, |config| {
        config.idle_timeout = Some(Duration::from_secs(10));
    });
    server.hold();
    let sending = fixture.start(1);
    server.wait_for("one", |it| it.in_flight() == 1).await;
    // Longer than the timeout without a new request, and then it ends just before the clock looks.
    for _ in 0..3 {
        advance(Duration::from_millis(9_800)).await;
        settle().await;
    }
    server.release();
    for sending in sending {
        soon(sending).await.unwrap().unwrap();
    }
    settle().await;
    advance(Duration::from_millis(9_900)).await;
    settle().await;
    assert!(fixture.is(Connectivity::Ready), "closed too early");
    advance(Duration::from_millis(10_200)).await;
    until("idle", || fixture.is(Connectivity::Idle)).await;
    until("no task", || fixture.tasks() == 0).await;
    assert_eq!(fixture.get().await.connection, 2);
}

#[tokio::test(start_paused = true)]
async fn a_ready_connection_is_used_without_the_pools_lock() {
    let fixture = Fixture::new(http2(), Answer::Serve(server(http2())));
    fixture.get().await;
    let Pool::Http2(pool) = &*fixture.pool else {
        panic!("another pool")
    };
    let held = pool.hold_lock();
    // On a thread of its own: it would never come back.
    let (done, sent) = std::sync::mpsc::channel();
    let pool = Arc::clone(&fixture.pool);
    let limits = fixture.limits;
    std::thread::spawn(move || {
        let mut request = post();
        let mut sending = Box::pin(pool.send(&mut request, &limits));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let _ = done.send(sending.as_mut().poll(&mut cx).is_pending());
    });
    let sent = sent.recv_timeout(Duration::from_secs(30));
    drop(held);
    assert_eq!(sent, Ok(true));
}
