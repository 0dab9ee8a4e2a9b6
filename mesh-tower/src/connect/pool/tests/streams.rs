//! Connections that die without a word, and peers that shut the door behind a request.

use std::time::Duration;

use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use mesh_core::ErrorKind;
use tokio::io::DuplexStream;

use super::*;

/// A pool whose connections end here.
fn raw(
    edit: impl FnOnce(&mut Http2Config),
) -> (Fixture, tokio::sync::mpsc::UnboundedReceiver<DuplexStream>) {
    let mut config = Http2Config::default();
    edit(&mut config);
    let fixture = Fixture::new(Protocol::Http2(config), Answer::Refuse);
    let accepted = fixture.script.accept();
    (fixture, accepted)
}

type Far = (Connection<DuplexStream, Bytes>, SendResponse<Bytes>);

async fn accept(io: DuplexStream) -> Far {
    let mut connection = soon(h2::server::handshake(io)).await.unwrap();
    let (_, respond) = soon(connection.accept()).await.unwrap().unwrap();
    (connection, respond)
}

#[tokio::test(start_paused = true)]
async fn a_dead_connection_is_found_by_its_silence_and_the_next_request_dials_anew() {
    let (fixture, mut accepted) = raw(|config| {
        config.keepalive_interval = Some(Duration::from_secs(10));
        config.keepalive_timeout = Duration::from_secs(5);
    });
    let sending = fixture.start(1);
    let io = accepted.recv().await.unwrap();
    let dead = accept(io).await;
    // From here on nobody reads there.
    let start = tokio::time::Instant::now();
    for sending in sending {
        let failed = soon(sending).await.unwrap().unwrap_err();
        assert_eq!(failed.error.kind(), ErrorKind::Reset);
        assert!(failed.error.was_sent());
    }
    let waited = start.elapsed().as_secs();
    assert!((10..=16).contains(&waited), "{waited} s");
    assert!(fixture.is(Connectivity::Idle));
    drop(dead);
    fixture.script.always(Answer::Serve(server(http2())));
    fixture.get().await;
    assert_eq!(fixture.script.dials(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stream_under_way_finishes_while_its_connection_drains() {
    let (fixture, mut accepted) = raw(|_| {});
    let sending = tokio::spawn(fixture.send());
    let (mut connection, mut respond) = accept(accepted.recv().await.unwrap()).await;
    connection.graceful_shutdown();
    let draining = tokio::spawn(async move { while connection.accept().await.is_some() {} });
    until("it left the pool", || fixture.is(Connectivity::Idle)).await;
    assert_eq!(fixture.cluster.connections(), 1, "it is still there");
    fixture.script.always(Answer::Serve(server(http2())));
    assert_eq!(fixture.get().await.connection, 1);
    let mut body = respond.send_response(Response::new(()), false).unwrap();
    body.send_data(Bytes::from_static(b"late"), true).unwrap();
    let response = soon(sending).await.unwrap().unwrap();
    let body = soon(response.into_body().collect()).await.unwrap();
    assert_eq!(body.to_bytes(), "late");
    soon(draining).await.unwrap();
    until("one connection", || fixture.cluster.connections() == 1).await;
}
