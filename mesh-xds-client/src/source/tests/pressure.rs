//! A server that reads no request before its response is read.

use std::time::Duration;

use mesh_core::source::{ConfigSource, ConfigWatch};
use tokio::time::sleep;

use super::plane::{Plane, listener, pending_with, routes, soon};
use crate::{
    XdsSource,
    protocol::Variant,
    resource::ResourceType::{Listener, RouteConfig},
};

/// More than a stream queues of requests that are not read.
const MANY: usize = 40;

/// Watches one target after the other, each in a turn of its own, so that each makes a request.
async fn watch_many(source: &XdsSource) -> Vec<ConfigWatch> {
    let mut watches = Vec::new();
    for number in 0..MANY {
        watches.push(source.watch(&format!("other-{number}").as_str().into()));
        sleep(Duration::from_millis(1)).await;
    }
    watches
}

#[tokio::test(start_paused = true)]
async fn sotw_is_read_while_requests_wait() {
    let mut plane = Plane::new();
    let source = plane.source(Variant::Sotw);
    let mut watch = source.watch(&"shop".into());
    let mut stream = soon(plane.sotw.recv()).await.unwrap();
    stream.asked(Listener).await;
    let _others = watch_many(&source).await;
    stream.answer("1", vec![listener("shop", "routes")]).await;
    pending_with(&mut watch, "RouteConfiguration").await;
    // Then it reads, and finds the answer behind what was queued before.
    let mut queued = 0;
    let answer = loop {
        let request = stream.asked(Listener).await;
        if request.response_nonce == "nonce-1" {
            break request;
        }
        queued += 1;
    };
    assert!((1..MANY).contains(&queued), "{queued} requests were queued");
    assert_eq!(answer.version_info, "1");
    assert_eq!(answer.resource_names.len(), MANY + 1, "and it is complete");
    let request = stream.asked(RouteConfig).await;
    assert_eq!(request.resource_names, ["routes"]);
    stream.answer("1", vec![routes("routes", ["a"])]).await;
    assert_eq!(stream.asked(RouteConfig).await.version_info, "1");
}

#[tokio::test(start_paused = true)]
async fn delta_is_read_while_requests_wait_and_each_response_is_answered() {
    let mut plane = Plane::new();
    let source = plane.source(Variant::Delta);
    let mut watch = source.watch(&"shop".into());
    let mut stream = soon(plane.delta.recv()).await.unwrap();
    stream.asked(Listener).await;
    let _others = watch_many(&source).await;
    for version in ["1", "2", "3"] {
        let resources = vec![("shop", listener("shop", &format!("routes-{version}")))];
        stream.answer(version, resources, &[]).await;
    }
    pending_with(&mut watch, "routes-3").await;
    let (mut names, mut answers) = (Vec::new(), Vec::new());
    while names.len() < MANY || answers.len() < 3 {
        let request = stream.asked(Listener).await;
        names.extend(request.resource_names_subscribe);
        answers.extend(Some(request.response_nonce).filter(|nonce| !nonce.is_empty()));
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), MANY, "each name was asked for");
    assert_eq!(answers, ["nonce-1", "nonce-2", "nonce-3"]);
    let request = stream.asked(RouteConfig).await;
    assert_eq!(request.resource_names_subscribe, ["routes-3"]);
}
