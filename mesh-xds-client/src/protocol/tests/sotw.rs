//! State of the world: what is asked for, and how a response is answered.

use super::*;

#[test]
fn ack_nack_simple() {
    let mut client = Client::new(Variant::Sotw);
    client.subscribe(&[(Listener, "l")]);
    client.connect();
    let first = client.sotw();
    assert_eq!(
        (first.version_info.as_str(), first.response_nonce.as_str()),
        ("", "")
    );
    assert_eq!(first.resource_names, ["l"]);
    assert_eq!(first.type_url, Listener.type_url());

    let ack = client.respond(sotw(Listener, "1", "n1", &[("l", "x")]));
    assert_eq!(
        (ack.version_info.as_str(), ack.response_nonce.as_str()),
        ("1", "n1")
    );
    assert_eq!(ack.error_detail, None);
    assert_eq!(client.changes(), ["l"]);

    let nack = client.respond(sotw(Listener, "2", "n2", &[("l", "bad")]));
    assert_eq!(
        (nack.version_info.as_str(), nack.response_nonce.as_str()),
        ("1", "n2")
    );
    assert_eq!(message(nack.error_detail), r#""l": content: bad"#);
    assert_eq!(client.changes(), ["l"]);
    assert_eq!(
        client.answer(Listener, "l"),
        r#"=x !xDS node "node-7": Listener "l" is refused: content: bad"#
    );
    let entry = client.state.resource(Listener, "l").expect("subscribed");
    assert_eq!((entry.status(), &**entry.version()), (Status::Nacked, "1"));
    assert_eq!(entry.error().map(|error| &*error.version), Some("2"));

    let ack = client.respond(sotw(Listener, "3", "n3", &[("l", "y")]));
    assert_eq!(
        (ack.version_info.as_str(), ack.response_nonce.as_str()),
        ("3", "n3")
    );
    assert_eq!(ack.error_detail, None);
    assert_eq!(client.answer(Listener, "l"), "=y");
    assert_eq!(client.status(Listener, "l"), Status::Acked);
    assert_eq!(client.state.counters().nacks, 1);
}

#[test]
fn nack_of_the_first_response_has_an_empty_version() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "c")]);
    let nack = client.respond(sotw(Cluster, "1", "n1", &[("c", "bad")]));
    assert_eq!(
        (nack.version_info.as_str(), nack.response_nonce.as_str()),
        ("", "n1")
    );
    assert!(nack.error_detail.is_some());
    assert_eq!(client.status(Cluster, "c"), Status::Nacked);
    assert!(client.answer(Cluster, "c").starts_with('!'));
}

#[test]
fn a_resource_that_is_not_requested_any_more_keeps_the_version_and_nonce_of_its_type() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "c")]);
    client.respond(sotw(Cluster, "1", "n1", &[("c", "x")]));
    client.state.unsubscribe(Cluster, "c");
    let empty = client.sotw();
    assert_eq!(empty.resource_names, Vec::<String>::new());
    assert_eq!(
        (empty.version_info.as_str(), empty.response_nonce.as_str()),
        ("1", "n1")
    );
    assert_eq!(client.requests(), [], "the empty list is sent once");
    assert!(client.state.resource(Cluster, "c").is_none());

    client.subscribe(&[(Cluster, "c")]);
    let again = client.sotw();
    assert_eq!(again.resource_names, ["c"]);
    assert_eq!(
        (again.version_info.as_str(), again.response_nonce.as_str()),
        ("1", "n1")
    );
}

#[test]
fn an_emptied_type_is_not_sent_on_the_next_stream() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "c"), (Listener, "l")]);
    client.respond(sotw(Cluster, "1", "n1", &[("c", "x")]));
    client.state.unsubscribe(Cluster, "c");
    client.sotw();
    client.changes();
    client.close();
    client.connect();
    let only = client.sotw();
    assert_eq!(only.type_url, Listener.type_url());
}

#[test]
fn many_changes_between_two_turns_are_one_request() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "c")]);
    for i in 0..300 {
        client.subscribe(&[(Cluster, &format!("c{i:03}"))]);
    }
    for i in 0..299 {
        client.state.unsubscribe(Cluster, &format!("c{i:03}"));
    }
    assert_eq!(client.sotw().resource_names, ["c", "c299"]);
    client.state.unsubscribe(Cluster, "c299");
    client.subscribe(&[(Cluster, "c299")]);
    assert_eq!(client.requests(), [], "the set came out the same");
}

#[test]
fn one_dropped_and_wanted_again_within_a_turn_is_kept_and_told_of() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "c")]);
    client.respond(sotw(Cluster, "1", "n1", &[("c", "x")]));
    client.changes();
    client.state.unsubscribe(Cluster, "c");
    assert_eq!(client.answer(Cluster, "c"), "unknown");
    client.subscribe(&[(Cluster, "c")]);
    assert_eq!(client.answer(Cluster, "c"), "=x");
    assert_eq!(client.changes(), ["c"]);
    assert_eq!(client.requests(), []);
}

#[test]
fn a_second_watch_of_the_same_name_sends_nothing() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "c")]);
    client.respond(sotw(Cluster, "1", "n1", &[("c", "x")]));
    client.subscribe(&[(Cluster, "c")]);
    assert_eq!(client.requests(), []);
}

#[test]
fn partly_valid_response_is_applied_in_part_and_refused() {
    let names = [(Cluster, "a"), (Cluster, "b"), (Cluster, "c")];
    let mut client = Client::new(Variant::Sotw).watching(&names);
    let nack = client.respond(sotw(
        Cluster,
        "1",
        "n1",
        &[("a", "bad 1"), ("b", "good"), ("c", "bad 2")],
    ));
    assert_eq!(
        message(nack.error_detail),
        r#""a": content: bad 1; "c": content: bad 2"#
    );
    assert_eq!(client.changes(), ["a", "b", "c"]);
    assert_eq!(client.answer(Cluster, "b"), "=good");
    assert_eq!(client.status(Cluster, "b"), Status::Acked);
    assert_eq!(nack.version_info, "");
}

#[test]
fn entries_that_cannot_be_read_are_errors_of_the_response() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a"), (Cluster, "b")]);
    client.respond(sotw(Cluster, "1", "n1", &[("a", "x"), ("b", "y")]));
    client.changes();
    let mut response = sotw(Cluster, "2", "n2", &[("a", "z")]);
    let value = vec![0xff, 0xff].into();
    response.resources.push(Any {
        type_url: Cluster.type_url().to_owned(),
        value,
    });
    response.resources.push(thing(Listener, "b", "y"));
    response.resources.push(thing(Cluster, "", "y"));
    let text = message(client.respond(response).error_detail);
    assert!(text.starts_with("malformed: "), "{text}");
    assert!(
        text.contains("; type_url: is \"type.googleapis.com/envoy.config.listener.v3.Listener\"")
    );
    assert!(text.ends_with("; name: is empty"), "{text}");
    assert_eq!(client.changes(), ["a"]);
    assert_eq!(
        client.answer(Cluster, "b"),
        "=y",
        "it may be one of the unreadable"
    );
}

#[test]
fn wrapped_and_bare_resources_are_both_accepted() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a"), (Cluster, "b")]);
    let mut response = sotw(Cluster, "1", "n1", &[("a", "x")]);
    let inner = Resource {
        resource: Some(thing(Cluster, "b", "y")),
        ..Default::default()
    };
    response.resources.push(Any::pack(&inner));
    assert_eq!(client.respond(response).error_detail, None);
    assert_eq!(client.answer(Cluster, "a"), "=x");
    assert_eq!(client.answer(Cluster, "b"), "=y");

    let mut response = sotw(Cluster, "2", "n2", &[("a", "x")]);
    response.resources.push(Any::pack(&Resource {
        name: "b".to_owned(),
        ..Default::default()
    }));
    let text = message(client.respond(response).error_detail);
    assert_eq!(text, r#""b": resource: missing"#);
    assert!(client.answer(Cluster, "b").starts_with("=y !"));
}

#[test]
fn unchanged_bytes_are_neither_decoded_nor_told_of() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a"), (Cluster, "b")]);
    client.respond(sotw(Cluster, "1", "n1", &[("a", "x"), ("b", "y")]));
    assert_eq!((client.decoded(), client.changes().len()), (2, 2));
    let ack = client.respond(sotw(Cluster, "2", "n2", &[("b", "z"), ("a", "x")]));
    assert_eq!(ack.version_info, "2");
    assert_eq!(
        (client.decoded(), client.changes()),
        (3, vec!["b".to_owned()])
    );
    assert_eq!(client.state.counters().unchanged, 1);
    let version = client
        .state
        .resource(Cluster, "a")
        .map(|entry| entry.version().to_string());
    assert_eq!(version.as_deref(), Some("2"));
}

#[test]
fn unchanged_bytes_clear_a_standing_error() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a")]);
    client.respond(sotw(Cluster, "1", "n1", &[("a", "x")]));
    client.respond(sotw(Cluster, "2", "n2", &[("a", "bad")]));
    client.changes();
    client.respond(sotw(Cluster, "3", "n3", &[("a", "x")]));
    assert_eq!(client.changes(), ["a"]);
    assert_eq!(client.answer(Cluster, "a"), "=x");
    assert_eq!(client.decoded(), 2);
}

#[test]
fn the_same_error_is_told_once_and_another_again() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a")]);
    for (nonce, content, told) in [("1", "bad", 1), ("2", "bad", 0), ("3", "bad too", 1)] {
        client
            .state
            .handle_response(client.now, sotw(Cluster, nonce, nonce, &[("a", content)]));
        assert_eq!(client.changes().len(), told, "{nonce}");
        let entry = client.state.resource(Cluster, "a").expect("subscribed");
        let refused = entry.error().map(|error| &*error.version);
        assert_eq!(
            refused,
            Some(nonce),
            "a report gives the version refused last"
        );
    }
}

#[test]
fn repeated_refusals_are_answered_at_a_falling_rate() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a")]);
    let start = client.now;
    for round in 0..10 {
        let nonce = round.to_string();
        client
            .state
            .handle_response(client.now, sotw(Cluster, &nonce, &nonce, &[("a", "bad")]));
        client.changes();
        if round > 0 {
            assert_eq!(client.requests(), [], "held back");
            assert!(client.state.wants_response());
            client.now = client.state.poll_timeout().expect("a held answer");
            client.advance(0.0);
        }
        assert_eq!(client.sotw().response_nonce, nonce);
    }
    let waited = (client.now - start).as_secs();
    assert_eq!(waited, 1 + 2 + 4 + 8 + 10 + 10 + 10 + 10 + 10);
    client
        .state
        .handle_response(client.now, sotw(Cluster, "x", "x", &[("a", "bad too")]));
    assert_eq!(
        client.sotw().response_nonce,
        "x",
        "another error goes out at once"
    );
}

#[test]
fn a_held_refusal_goes_out_with_the_next_change() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a")]);
    client.respond(sotw(Cluster, "1", "n1", &[("a", "bad")]));
    client
        .state
        .handle_response(client.now, sotw(Cluster, "1", "n2", &[("a", "bad")]));
    client.subscribe(&[(Cluster, "b")]);
    let request = client.sotw();
    assert_eq!(request.response_nonce, "n2");
    assert!(request.error_detail.is_some());
    client.advance(100.0);
    assert_eq!(client.requests(), []);
}

#[test]
fn a_repeated_refusal_is_not_held_if_the_names_crossed_it_on_the_way() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a")]);
    client.respond(sotw(Cluster, "1", "n1", &[("a", "bad")]));
    client.subscribe(&[(Cluster, "b")]);
    assert_eq!(client.sotw().response_nonce, "n1", "stale by then");
    let nack = client.respond(sotw(Cluster, "1", "n2", &[("a", "bad")]));
    assert_eq!(
        nack.resource_names,
        ["a", "b"],
        "b is known to the server only now"
    );
}

#[test]
fn unknown_and_unasked_types_are_dropped_without_an_answer() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a")]);
    let mut unknown = sotw(Cluster, "1", "n1", &[("a", "x")]);
    unknown.type_url = "type.googleapis.com/envoy.config.unknown.v3.Thing".to_owned();
    client.state.handle_response(client.now, unknown);
    client
        .state
        .handle_response(client.now, sotw(Listener, "1", "n2", &[("l", "x")]));
    client
        .state
        .handle_response(client.now, delta(Cluster, "n3", &[("a", "1", "x")], &[]));
    assert_eq!(client.requests(), []);
    assert_eq!(client.state.counters().dropped, 3);
    client.subscribe(&[(Cluster, "b")]);
    assert_eq!(client.sotw().response_nonce, "", "no nonce moved");
}

#[test]
fn resources_that_nobody_wants_are_skipped() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a")]);
    let ack = client.respond(sotw(Cluster, "1", "n1", &[("a", "x"), ("b", "bad")]));
    assert_eq!(ack.error_detail, None);
    assert_eq!(client.decoded(), 1);
    assert_eq!(client.state.counters().unwanted, 1);
    assert_eq!(client.state.resources().count(), 1);
}

#[test]
fn one_sent_twice_is_refused_unless_it_is_the_same() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Endpoints, "a")]);
    let ack = client.respond(sotw(Endpoints, "1", "n1", &[("a", "x"), ("a", "x")]));
    assert_eq!(ack.error_detail, None);
    let nack = client.respond(sotw(Endpoints, "2", "n2", &[("a", "y"), ("a", "z")]));
    assert_eq!(
        message(nack.error_detail),
        r#""a": sent twice in one response, and not the same"#
    );
}

#[test]
fn only_the_last_of_two_responses_is_answered() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a")]);
    client
        .state
        .handle_response(client.now, sotw(Cluster, "1", "n1", &[("a", "bad")]));
    client
        .state
        .handle_response(client.now, sotw(Cluster, "2", "n2", &[("a", "x")]));
    let ack = client.sotw();
    assert_eq!(
        (ack.version_info.as_str(), ack.response_nonce.as_str()),
        ("2", "n2")
    );
    assert_eq!(ack.error_detail, None);
}

#[test]
fn types_go_out_in_the_order_in_which_they_depend_on_each_other() {
    let mut client = Client::new(Variant::Sotw);
    client.subscribe(&[
        (Endpoints, "e"),
        (Cluster, "c"),
        (RouteConfig, "r"),
        (Listener, "l"),
    ]);
    client.connect();
    let types: Vec<String> = client
        .requests()
        .into_iter()
        .map(|request| match request {
            AdsRequest::Sotw(request) => request.type_url,
            AdsRequest::Delta(_) => panic!("not delta"),
        })
        .collect();
    assert_eq!(types, ResourceType::ALL.map(ResourceType::type_url));
}

#[test]
fn federation_names_are_one_resource_whatever_the_order_of_their_parameters() {
    let mut client = Client::new(Variant::Sotw);
    client.subscribe(&[
        (Cluster, "xdstp://a/t/c?b=1&a=2"),
        (Cluster, "xdstp://a/t/c?a=2&b=1"),
    ]);
    client.connect();
    assert_eq!(client.sotw().resource_names, ["xdstp://a/t/c?a=2&b=1"]);
    client.respond(sotw(Cluster, "1", "n1", &[("xdstp://a/t/c?b=1&a=2", "x")]));
    assert_eq!(client.answer(Cluster, "xdstp://a/t/c?b=1&a=2"), "=x");
    assert_eq!(client.answer(Cluster, "xdstp://a/t/c?a=2&b=1"), "=x");
}
