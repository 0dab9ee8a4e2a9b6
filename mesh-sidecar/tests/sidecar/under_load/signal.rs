//! SIGTERM.

use std::time::Duration;

use mesh_testkit::{EchoServer, echo::Behaviour};

use crate::support::{Connection, Load, Sidecar, plane, text};

#[tokio::test]
async fn every_request_that_was_sent_is_answered() {
    let servers = [EchoServer::http1().start(), EchoServer::http1().start()];
    let plane = plane([&servers[0], &servers[1]]).await;
    let sidecar = Sidecar::start(&plane, &["--workers", "2"]).await;
    sidecar.ready().await;
    // So that there is always something under way.
    servers[0].always(Behaviour::delay(Duration::from_millis(5)));
    servers[1].hold();
    let load = Load::start(sidecar.at, "/v1");
    let slow = Connection::both(sidecar.at).await.map(|mut client| {
        tokio::spawn(async move {
            let request = client.request("/v2/slow", "");
            let answer = client.send(request).await.expect("an answer");
            let (status, headers) = (answer.status(), answer.headers().clone());
            text(answer).await;
            (status, headers, client.ready().await)
        })
    });
    servers[1]
        .wait_for("the slow requests", |it| it.count() == 2)
        .await;
    load.answered(400).await;
    load.connect_no_more();
    sidecar.terminate().await;
    let tally = load.left().await;
    assert_eq!(tally.keys().collect::<Vec<_>>(), ["200"], "{tally:?}");
    assert!(tally["200"] >= 400, "{tally:?}");
    let (status, state) = sidecar.page("/ready").await;
    assert_eq!((status, state.as_str()), (503, "DRAINING\n"));
    servers[1].release();
    let [http1, http2] = slow;
    let (status, headers, more) = http1.await.unwrap();
    assert_eq!((status.as_u16(), more), (200, false));
    assert_eq!(headers["connection"], "close");
    let (status, _, more) = http2.await.unwrap();
    assert_eq!((status.as_u16(), more), (200, false));
    assert!(sidecar.ended().await.success());
}
