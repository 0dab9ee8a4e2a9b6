//! Streams: what is said anew on each, when the next is opened, and how fast one is read.

use super::*;
use crate::store::ErrorKind;

#[test]
fn nothing_is_connected_before_something_is_wanted() {
    let mut client = Client::new(Variant::Sotw);
    assert_eq!(client.state.poll_event(), None);
    assert_eq!(client.state.poll_timeout(), None);
    client.subscribe(&[(Listener, "l")]);
    assert_eq!(client.state.poll_event(), Some(Event::Connect));
    assert_eq!(client.state.poll_event(), None, "once");
    assert_eq!(client.requests(), [], "not before there is a stream");
}

#[test]
fn resources_requested_before_the_stream_are_sent_when_it_comes() {
    let mut client = Client::new(Variant::Sotw);
    client.subscribe(&[(Cluster, "a"), (Cluster, "b"), (Cluster, "c")]);
    client.state.unsubscribe(Cluster, "b");
    client.connect();
    assert_eq!(client.sotw().resource_names, ["a", "c"]);
}

#[test]
fn node_is_sent_only_in_the_first_request_of_each_stream() {
    for variant in [Variant::Sotw, Variant::Delta] {
        let mut client = Client::new(variant);
        client.subscribe(&[(Cluster, "a"), (Listener, "l")]);
        client.connect();
        for _ in 0..3 {
            let nodes: Vec<bool> = client
                .requests()
                .iter()
                .map(|request| match request {
                    AdsRequest::Sotw(request) => request.node.is_some(),
                    AdsRequest::Delta(request) => request.node.is_some(),
                })
                .collect();
            assert_eq!(nodes, [true, false], "{variant:?}");
            client.close();
            client.changes();
            client.advance(200.0);
            client.connect();
        }
    }
}

#[test]
fn version_survives_the_stream_and_the_nonce_does_not() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a"), (Cluster, "b")]);
    client.respond(sotw(Cluster, "1", "n1", &[("a", "x"), ("b", "y")]));
    client.respond(sotw(Cluster, "2", "n2", &[("a", "bad"), ("b", "y")]));
    client.state.unsubscribe(Cluster, "b");
    client.subscribe(&[(Cluster, "c")]);
    client.changes();
    client.close();
    client.connect();
    let first = client.sotw();
    assert_eq!(
        (first.version_info.as_str(), first.response_nonce.as_str()),
        ("1", "")
    );
    assert_eq!(first.resource_names, ["a", "c"]);
    assert_eq!(first.error_detail, None);
    assert!(
        client.answer(Cluster, "a").starts_with("=x !"),
        "it is used meanwhile"
    );
}

#[test]
fn a_version_of_which_nothing_is_left_is_not_claimed_on_a_new_stream() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a")]);
    client.respond(sotw(Cluster, "1", "n1", &[("a", "x")]));
    client.changes();
    client.state.unsubscribe(Cluster, "a");
    client.requests();
    client.close();
    client.subscribe(&[(Cluster, "b")]);
    client.connect();
    assert_eq!(client.sotw().version_info, "");
}

#[test]
fn an_answer_owed_to_a_stream_that_ended_is_not_given_to_the_next() {
    for variant in [Variant::Sotw, Variant::Delta] {
        let mut client = Client::new(variant).watching(&[(Cluster, "a")]);
        match variant {
            Variant::Sotw => client
                .state
                .handle_response(client.now, sotw(Cluster, "1", "n1", &[("a", "bad")])),
            Variant::Delta => client
                .state
                .handle_response(client.now, delta(Cluster, "n1", &[("a", "1", "bad")], &[])),
        }
        client.changes();
        client.close();
        client.connect();
        let (nonce, error) = match client.requests().as_slice() {
            [AdsRequest::Sotw(r)] => (r.response_nonce.clone(), r.error_detail.clone()),
            [AdsRequest::Delta(r)] => (r.response_nonce.clone(), r.error_detail.clone()),
            other => panic!("not one request: {other:?}"),
        };
        assert_eq!((nonce.as_str(), error), ("", None), "{variant:?}");
    }
}

#[test]
fn backoff_after_stream_failure() {
    let mut client = Client::new(Variant::Sotw);
    client.subscribe(&[(Cluster, "a")]);
    client.connect();
    client.requests();
    client.close();
    assert_eq!(client.changes(), ["(connection)"]);
    let until = client.state.poll_timeout().expect("a back-off");
    let wait = (until - client.now).as_secs_f64();
    assert!((0.8..=1.2).contains(&wait), "{wait}");
    client.advance(wait - 0.1);
    assert_eq!(client.state.poll_event(), None);
    client.advance(0.2);
    client.connect();
    assert_eq!(client.sotw().resource_names, ["a"]);
}

#[test]
fn a_broken_stream_that_had_a_message_is_replaced_at_once_and_is_no_error() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a"), (Cluster, "b")]);
    client.respond(sotw(Cluster, "1", "n1", &[("a", "x")]));
    client.changes();
    client.close();
    assert_eq!(client.state.connection_error(), None);
    assert_eq!(client.answer(Cluster, "a"), "=x");
    assert_eq!(client.answer(Cluster, "b"), "waiting");
    client.connect();
    assert_eq!(client.state.counters().failures, 0);
}

#[test]
fn a_failed_connection_is_an_error_without_cache_and_a_note_with_it() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a"), (Cluster, "b")]);
    client.respond(sotw(Cluster, "1", "n1", &[("a", "x")]));
    client.changes();
    client.close();
    assert_eq!(client.state.poll_event(), Some(Event::Connect));
    client.state.handle_closed(client.now, "connection refused");
    assert_eq!(client.changes(), ["(connection)"]);
    let text = r#"xDS node "node-7": control plane: connection refused"#;
    assert_eq!(client.answer(Cluster, "a"), format!("=x !{text}"));
    assert_eq!(client.answer(Cluster, "b"), format!("!{text}"));
    let error = client.state.connection_error().expect("standing");
    assert_eq!(
        (error.kind, error.kind.is_transient()),
        (ErrorKind::Connection, true)
    );

    // The same again is no news; the first message ends it.
    client.advance(10.0);
    assert_eq!(client.state.poll_event(), Some(Event::Connect));
    client.state.handle_closed(client.now, "connection refused");
    assert_eq!(client.changes(), Vec::<String>::new());
    client.advance(10.0);
    client.connect();
    assert!(
        client.state.connection_error().is_some(),
        "an open stream proves nothing yet"
    );
    client.requests();
    client.respond(sotw(Cluster, "1", "n1", &[("a", "x")]));
    assert_eq!(client.changes(), ["(connection)"]);
    assert_eq!(client.answer(Cluster, "a"), "=x");
}

#[test]
fn flow_control_holds_the_next_message_until_events_and_answer_are_taken() {
    let mut client = Client::new(Variant::Sotw);
    assert!(!client.state.wants_response());
    client.subscribe(&[(Cluster, "a"), (Cluster, "b")]);
    client.connect();
    assert!(!client.state.wants_response(), "the request comes first");
    client.requests();
    assert!(client.state.wants_response());
    for (nonce, a) in [("1", "x"), ("2", "bad")] {
        client.state.handle_response(
            client.now,
            sotw(Cluster, nonce, nonce, &[("a", a), ("b", a)]),
        );
        assert!(!client.state.wants_response());
        client.requests();
        assert!(!client.state.wants_response());
        assert!(client.state.poll_event().is_some());
        assert!(!client.state.wants_response(), "one of two events is taken");
        assert!(client.state.poll_event().is_some());
        assert!(client.state.wants_response());
    }
    client.close();
    assert!(!client.state.wants_response());
}

#[test]
fn a_message_without_a_stream_is_dropped() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a")]);
    client.close();
    client
        .state
        .handle_response(client.now, sotw(Cluster, "1", "n1", &[("a", "x")]));
    assert_eq!(client.state.counters().dropped, 1);
    assert!(
        client
            .state
            .resource(Cluster, "a")
            .expect("subscribed")
            .value()
            .is_none()
    );
}

#[test]
fn another_server_is_told_nothing_of_the_first_ones_versions() {
    for variant in [Variant::Sotw, Variant::Delta] {
        let mut client = Client::new(variant).watching(&[(Cluster, "a")]);
        match variant {
            Variant::Sotw => client
                .state
                .handle_response(client.now, sotw(Cluster, "1", "n1", &[("a", "x")])),
            Variant::Delta => client
                .state
                .handle_response(client.now, delta(Cluster, "n1", &[("a", "1", "x")], &[])),
        }
        client.changes();
        client.state.switch_server(ServerFeatures::default());
        assert_eq!(client.answer(Cluster, "a"), "=x", "what is cached stays");
        client.connect();
        match client.requests().as_slice() {
            [AdsRequest::Sotw(request)] => {
                assert_eq!(request.version_info, "");
                assert_eq!(request.resource_names, ["a"]);
            }
            [AdsRequest::Delta(request)] => {
                assert!(request.initial_resource_versions.is_empty());
                assert_eq!(request.resource_names_subscribe, ["a"]);
            }
            other => panic!("not one request: {other:?}"),
        }
    }
}
