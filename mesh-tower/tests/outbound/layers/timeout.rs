use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use mesh_core::ErrorKind;
use mesh_testkit::echo::Behaviour;
use mesh_tower::layers::TimeoutLayer;
use tokio::time::Instant;
use tower_layer::Layer;

use super::{Hyper, assert_order, call, order, report, server};
use crate::support::{PROTOCOLS, SECOND, alone, assert_late, channel};

const BOTH: [(TimeoutLayer, ErrorKind); 2] = [
    (TimeoutLayer::of_exchange(SECOND), ErrorKind::StreamDeadline),
    (TimeoutLayer::of_answer(SECOND), ErrorKind::RouteTimeout),
];

#[tokio::test(start_paused = true)]
async fn what_comes_in_time_comes_as_it_was_sent() {
    for (layer, _) in BOTH {
        let server = server("only");
        let mut service = layer.layer(Hyper::to(&server));
        assert_order(&report(call(&mut service, order()).await.unwrap()).await);
        for protocol in PROTOCOLS {
            let (_server, client) = alone(protocol, |_| {});
            let mut service = layer.layer(client);
            assert_order(&report(call(&mut service, order()).await.unwrap()).await);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_late_is_called_off() {
    for (layer, kind) in BOTH {
        let server = server("only");
        server.hold();
        let mut service = layer.layer(Hyper::to(&server));
        let start = Instant::now();
        let error = call(&mut service, order()).await.unwrap_err();
        assert_late(&error, kind, start, SECOND);
        assert!(error.was_sent());
        server
            .wait_for("the server learns of it", |it| it.cancelled() == 1)
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_late_fails_and_is_let_go() {
    for (layer, kind) in BOTH {
        let server = server("only");
        let body_size = Some(8 << 20);
        server.always(Behaviour {
            body_size,
            ..Behaviour::default()
        });
        let mut service = layer.layer(Hyper::to(&server));
        let mut answer = call(&mut service, order()).await.unwrap();
        answer.frame().await.unwrap().unwrap();
        tokio::time::sleep(SECOND * 2).await;
        let error = loop {
            if let Err(error) = answer.frame().await.unwrap() {
                break error;
            }
        };
        assert_eq!(error.kind(), kind, "{error}");
        // The body is gone although its owner still holds it.
        server
            .wait_for("the connection to end", |it| it.open_connections() == 0)
            .await;
        assert!(answer.frame().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_counts_in_an_exchange_alone() {
    for (layer, kind) in BOTH {
        let server = server("only");
        let mut service = layer.layer(Hyper::to(&server));
        let (sender, body) = channel();
        let request = Request::post("http://shop.test/").body(body).unwrap();
        let answer = tokio::spawn(async move { call(&mut service, request).await });
        for word in ["a", "b"] {
            // Its reader is gone in the exchange, which is over by then.
            let _ = sender.send(Bytes::from(word));
            tokio::time::sleep(SECOND * 10).await;
        }
        drop(sender);
        let answer = answer.await.unwrap();
        if kind == ErrorKind::StreamDeadline {
            assert_eq!(answer.unwrap_err().kind(), kind);
            assert_eq!(server.requests()[0].body_len, None);
        } else {
            assert_eq!(report(answer.unwrap()).await.body.as_deref(), Some("ab"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_zero_lets_nothing_leave() {
    let server = server("only");
    let mut service = TimeoutLayer::of_exchange(Duration::ZERO).layer(Hyper::to(&server));
    let error = call(&mut service, order()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StreamDeadline);
    assert!(!error.was_sent());
    assert_eq!(server.connections(), 0);
}
