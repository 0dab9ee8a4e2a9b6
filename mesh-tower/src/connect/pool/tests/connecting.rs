//! What an endpoint is reported to be, when it is dialled, and how that fails; over both protocols.

use std::{error::Error as _, sync::atomic::AtomicUsize, time::Duration};

use mesh_core::{ErrorKind, bounds::Bound};
use tokio::time::advance;

use super::{script::later, *};
use crate::clock;

#[tokio::test(start_paused = true)]
async fn connectivity_follows_the_connections() {
    for protocol in both() {
        let (tell, answer) = later();
        let server = server(protocol);
        let fixture = Fixture::new(protocol, answer);
        assert!(fixture.is(Connectivity::Idle));
        fixture.start_connecting();
        assert!(fixture.is(Connectivity::Connecting));
        // It is asked again whenever anything changes.
        fixture.start_connecting();
        tell.send(Answer::Serve(Arc::clone(&server))).unwrap();
        until("ready", || fixture.is(Connectivity::Ready)).await;
        fixture.start_connecting();
        assert_eq!(fixture.script.dials(), 1);
        assert_eq!(fixture.get().await.connection, 1);
        server.disconnect().await;
        until("idle", || fixture.is(Connectivity::Idle)).await;
        assert_eq!(fixture.cluster.connections(), 0);
        fixture.script.always(Answer::Serve(server));
        assert_eq!(fixture.get().await.connection, 2);
        assert!(fixture.is(Connectivity::Ready));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusing_backend_is_dialled_as_its_back_off_allows() {
    for protocol in both() {
        let fixture = Fixture::new(protocol, Answer::Refuse);
        // After the n-th failure: 1.6^(n-1) s, 20 % less or more.
        let mut nominal = 1.0;
        for dials in 1..=5 {
            for _ in 0..50 {
                let failed = fixture.send().await.unwrap_err();
                assert_eq!(failed.error.kind(), ErrorKind::Connect);
                assert_eq!(failed.error.message(), "could not connect");
                let reason = failed.error.source().unwrap().to_string();
                assert_eq!(reason, "nobody is there");
                assert!(!failed.error.was_sent() && failed.whole);
                assert_eq!(fixture.script.dials(), dials);
                assert!(fixture.is(Connectivity::Failed));
                fixture.start_connecting();
            }
            advance(Duration::from_secs_f64(nominal * 0.79)).await;
            fixture.send().await.unwrap_err();
            assert_eq!(fixture.script.dials(), dials, "dialled too early");
            advance(Duration::from_secs_f64(nominal * 0.42)).await;
            nominal *= 1.6;
        }
        fixture.script.always(Answer::Serve(server(protocol)));
        fixture.get().await;
        assert_eq!(fixture.script.dials(), 6);
        assert!(fixture.is(Connectivity::Ready));
    }
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_for_a_dial_that_fails_are_told() {
    for protocol in both() {
        let fixture = Fixture::new(protocol, Answer::Refuse);
        for sending in fixture.start(100) {
            let failed = soon(sending).await.unwrap().unwrap_err();
            assert_eq!(failed.error.kind(), ErrorKind::Connect);
        }
        assert_eq!(fixture.cluster.pending(), 0);
        assert_eq!(fixture.cluster.connections(), 0);
        until("no task", || fixture.tasks() == 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn connecting_takes_no_longer_than_its_timeout() {
    for protocol in both() {
        let fixture = Fixture::with(protocol, Answer::Hang, |config| {
            config.connect_timeout = Duration::from_secs(3);
        });
        let start = tokio::time::Instant::now();
        let failed = soon(fixture.send()).await.unwrap_err();
        assert_eq!(start.elapsed(), Duration::from_secs(3));
        assert_eq!(failed.error.kind(), ErrorKind::ConnectTimeout);
        assert_eq!(failed.error.message(), "could not connect in time");
        let reason = failed.error.source().unwrap().to_string();
        assert_eq!(reason, "no connection within 3s");
        assert!(fixture.is(Connectivity::Failed));
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_wait_than_may() {
    for protocol in both() {
        let fixture = Fixture::with(protocol, Answer::Hang, |config| {
            config.limits.max_pending_requests = 3;
        });
        let waiting = fixture.start(3);
        until("three wait", || fixture.cluster.pending() == 3).await;
        let counted = Bound::PendingRequests.times();
        let failed = fixture.send().await.unwrap_err();
        assert_eq!(failed.error.kind(), ErrorKind::Overloaded);
        assert!(failed.whole);
        assert!(Bound::PendingRequests.times() > counted);
        // A caller that gives up makes room.
        waiting[1].abort();
        until("one left", || fixture.cluster.pending() == 2).await;
        let _waiting = tokio::spawn(fixture.send());
        until("another came", || fixture.cluster.pending() == 3).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dial_goes_on_without_its_caller_and_serves_the_next() {
    for protocol in both() {
        let (tell, answer) = later();
        let fixture = Fixture::new(protocol, answer);
        for sending in fixture.start(1) {
            until("it waits", || fixture.cluster.pending() == 1).await;
            sending.abort();
            assert!(sending.await.unwrap_err().is_cancelled());
        }
        assert_eq!(fixture.cluster.pending(), 0);
        let server = server(protocol);
        tell.send(Answer::Serve(Arc::clone(&server))).unwrap();
        until("ready", || fixture.is(Connectivity::Ready)).await;
        fixture.get().await;
        assert_eq!(fixture.script.dials(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_stays_behind_when_the_pool_is_dropped() {
    for protocol in both() {
        let server = server(protocol);
        // A connection, and where it may be, a dial under way.
        let fixture = Fixture::new(protocol, Answer::Serve(Arc::clone(&server)));
        fixture.get().await;
        fixture.script.always(Answer::Hang);
        server.hold();
        let held = fixture.start(1);
        server.wait_for("a request", |it| it.in_flight() == 1).await;
        let waiting = fixture.start(1);
        settle().await;
        for sending in held.into_iter().chain(waiting) {
            sending.abort();
            let _ = sending.await;
        }
        let Fixture { pool, tasks, .. } = &fixture;
        assert!(tasks.load(Ordering::SeqCst) > 0);
        assert_eq!(Arc::strong_count(pool), 1);
        let Fixture {
            endpoint,
            cluster,
            tasks,
            pool,
            ..
        } = fixture;
        drop(pool);
        until("no task", || tasks.load(Ordering::SeqCst) == 0).await;
        assert_eq!(endpoint.connectivity(), Connectivity::Idle);
        assert_eq!(cluster.connections(), 0);
        server
            .wait_for("no connection", |it| it.open_connections() == 0)
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_succeeds_as_the_pool_is_dropped_ends() {
    for protocol in both() {
        let (tell, answer) = later();
        let fixture = Fixture::new(protocol, answer);
        fixture.start_connecting();
        settle().await;
        let Fixture { pool, tasks, .. } = fixture;
        let server = server(protocol);
        tell.send(Answer::Serve(Arc::clone(&server))).unwrap();
        drop(pool);
        until("no task", || tasks.load(Ordering::SeqCst) == 0).await;
        assert_eq!(fixture.endpoint.connectivity(), Connectivity::Idle);
        assert_eq!(fixture.cluster.connections(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_outlives_the_pool() {
    for protocol in both() {
        let server = server(protocol);
        let fixture = Fixture::new(protocol, Answer::Serve(server));
        let response = soon(fixture.send()).await.unwrap();
        let Fixture { pool, tasks, .. } = fixture;
        drop(pool);
        settle().await;
        read(response).await;
        until("no task", || tasks.load(Ordering::SeqCst) == 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_executor_that_is_gone_is_an_error() {
    for protocol in both() {
        let (tasks, answer) = (Arc::new(AtomicUsize::new(0)), Answer::Hang);
        let fixture = Fixture::on(Executor::new(drop), tasks, protocol, answer, |_| {});
        fixture.start_connecting();
        assert!(fixture.is(Connectivity::Failed));
        advance(Duration::from_secs(10)).await;
        for sending in fixture.start(2) {
            let failed = soon(sending).await.unwrap().unwrap_err();
            assert_eq!(failed.error.kind(), ErrorKind::Connect);
        }
        assert_eq!(fixture.cluster.connections(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_move_on_when_the_connections_tasks_are_dropped() {
    type Tasks = std::sync::Mutex<Vec<tokio::task::JoinHandle<()>>>;
    for protocol in both() {
        let (handles, runtime) = (
            Arc::new(Tasks::default()),
            tokio::runtime::Handle::current(),
        );
        let kept = Arc::clone(&handles);
        let executor = Executor::new(move |task| kept.lock().unwrap().push(runtime.spawn(task)));
        let server = server(protocol);
        let answer = Answer::Serve(Arc::clone(&server));
        let fixture = Fixture::on(executor, Arc::default(), protocol, answer, |_| {});
        fixture.get().await;
        for dialling in [false, true] {
            if dialling {
                fixture.script.next(Answer::Hang);
            }
            server.hold();
            let sending = fixture.start(1);
            let dials = fixture.script.dials();
            until("it is under way", || {
                server.in_flight() == 1 || dialling && fixture.cluster.pending() == 1
            })
            .await;
            for task in handles.lock().unwrap().drain(..) {
                task.abort();
            }
            // An exchange over HTTP/1 is its caller's alone.
            let goes_on = !dialling && protocol == HTTP1;
            if goes_on {
                server.release();
            }
            for sending in sending {
                assert_eq!(soon(sending).await.unwrap().is_ok(), goes_on);
            }
            assert_eq!(fixture.cluster.connections(), 0, "{dials} dials");
            server.release();
            server.wait_for("it ends", |it| it.in_flight() == 0).await;
        }
        assert!(fixture.is(Connectivity::Failed));
        advance(Duration::from_secs(10)).await;
        fixture.get().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_at_once_is_not_reconnected_to_without_pause() {
    // As the driver of a mesh does that connects ahead of requests.
    for protocol in both() {
        let fixture = Fixture::new(protocol, Answer::Die);
        let mut changes = fixture.cluster.subscribe();
        let watch = async {
            loop {
                fixture.start_connecting();
                changes.changed().await.unwrap();
            }
        };
        let _ = tokio::time::timeout(Duration::from_millis(700), watch).await;
        let dials = fixture.script.dials();
        assert!((1..=5).contains(&dials), "{dials} dials");
        assert!(fixture.is(Connectivity::Failed));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_in_wait_takes_the_room_that_another_pool_leaves() {
    for protocol in both() {
        let protocol = match protocol {
            Protocol::Http1(_) => protocol,
            Protocol::Http2(http2) => Protocol::Http2(Http2Config {
                max_concurrent_streams: 1,
                ..http2
            }),
        };
        let server = server(protocol);
        let answer = Answer::Serve(Arc::clone(&server));
        let fixture = Fixture::with(protocol, answer, |config| {
            config.limits.max_connections = 2;
        });
        server.hold();
        let _busy = fixture.start(1);
        server.wait_for("one", |it| it.in_flight() == 1).await;
        let elsewhere = fixture.cluster.try_connection(&fixture.limits).unwrap();
        let _waiting = fixture.start(1);
        advance(Duration::from_secs(60)).await;
        settle().await;
        assert_eq!(fixture.script.dials(), 1);
        drop(elsewhere);
        server.wait_for("two", |it| it.in_flight() == 2).await;
        assert_eq!(fixture.script.dials(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_given_up_at_a_peer_that_does_not_read_leaves_no_connection() {
    let fixture = Fixture::new(HTTP1, Answer::Silence);
    let mut large = post().map(|_| RequestBody::full(Bytes::from(vec![0; 1 << 20])));
    let (pool, limits) = (Arc::clone(&fixture.pool), fixture.limits);
    let sending = tokio::spawn(async move { pool.send(&mut large, &limits).await.map(drop) });
    until("ready", || fixture.is(Connectivity::Ready)).await;
    settle().await;
    sending.abort();
    settle().await;
    advance(Duration::from_secs(2)).await;
    until("idle", || fixture.is(Connectivity::Idle)).await;
    until("no task", || fixture.tasks() == 0).await;
    assert_eq!(fixture.cluster.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn pools_that_share_an_endpoint_take_back_what_is_theirs() {
    for protocol in both() {
        let server = server(protocol);
        let fixture = Fixture::new(protocol, Answer::Serve(Arc::clone(&server)));
        let now = || clock::now();
        let another = fixture.endpoint.report();
        fixture.get().await;
        another.set_connecting();
        another.set_failed(now(), 0, "refused");
        assert!(fixture.is(Connectivity::Ready));
        another.set_ready();
        server.disconnect().await;
        until("no connection", || fixture.cluster.connections() == 0).await;
        assert!(fixture.is(Connectivity::Ready), "the other's");
        // It has what it needs of its own, and no more.
        fixture.start_connecting();
        until("connected", || fixture.cluster.connections() == 1).await;
        fixture.start_connecting();
        settle().await;
        assert_eq!(fixture.script.dials(), 2);
        another.set_idle(now());
        assert!(fixture.is(Connectivity::Ready), "its own");
        another.set_connecting();
        let Fixture { pool, tasks, .. } = &fixture;
        let (weak, tasks) = (Arc::downgrade(pool), Arc::clone(tasks));
        let Fixture { pool, endpoint, .. } = fixture;
        drop(pool);
        assert!(weak.upgrade().is_none());
        until("no task", || tasks.load(Ordering::SeqCst) == 0).await;
        assert_eq!(endpoint.connectivity(), Connectivity::Connecting);
        drop(another);
        assert_eq!(endpoint.connectivity(), Connectivity::Idle);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pool_waits_out_the_back_off_that_another_began() {
    for protocol in both() {
        let server = server(protocol);
        let fixture = Fixture::new(protocol, Answer::Serve(server));
        let [connected, refused] = [fixture.endpoint.report(), fixture.endpoint.report()];
        connected.set_ready();
        refused.set_failed(clock::now(), 1 << 63, "refused elsewhere");
        assert!(fixture.is(Connectivity::Ready));
        let failed = fixture.send().await.unwrap_err();
        assert_eq!(
            failed.error.source().unwrap().to_string(),
            "refused elsewhere"
        );
        assert_eq!(fixture.script.dials(), 0);
        advance(Duration::from_secs(1)).await;
        fixture.get().await;
    }
}
