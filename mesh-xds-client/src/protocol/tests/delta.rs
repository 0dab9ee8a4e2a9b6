//! Delta: differences instead of lists, answers by nonce alone.

use super::*;

#[test]
fn subscriptions_are_differences() {
    let mut client = Client::new(Variant::Delta);
    client.subscribe(&[(Cluster, "b"), (Cluster, "a")]);
    client.connect();
    let first = client.delta();
    assert_eq!(first.resource_names_subscribe, ["a", "b"]);
    assert!(first.resource_names_unsubscribe.is_empty());
    assert!(first.initial_resource_versions.is_empty());
    assert_eq!(first.response_nonce, "");

    client.subscribe(&[(Cluster, "a"), (Cluster, "c")]);
    client.state.unsubscribe(Cluster, "a");
    let next = client.delta();
    assert_eq!(next.resource_names_subscribe, ["c"]);
    assert_eq!(next.resource_names_unsubscribe, ["a"]);
    assert_eq!(next.response_nonce, "");

    client.subscribe(&[(Cluster, "d")]);
    client.state.unsubscribe(Cluster, "d");
    client.state.unsubscribe(Cluster, "c");
    client.subscribe(&[(Cluster, "c")]);
    assert_eq!(client.requests(), [], "the set came out the same");
}

#[test]
fn the_last_name_is_unsubscribed_and_nothing_more_is_said() {
    let mut client = Client::new(Variant::Delta).watching(&[(Cluster, "a")]);
    client.state.unsubscribe(Cluster, "a");
    let last = client.delta();
    assert_eq!(last.resource_names_unsubscribe, ["a"]);
    client.close();
    client.changes();
    client.advance(10.0);
    client.subscribe(&[(Listener, "l")]);
    client.connect();
    assert_eq!(client.delta().type_url, Listener.type_url());
}

#[test]
fn each_response_is_answered_by_its_nonce() {
    let mut client = Client::new(Variant::Delta).watching(&[(Cluster, "a"), (Cluster, "b")]);
    let now = client.now;
    client
        .state
        .handle_response(now, delta(Cluster, "n1", &[("a", "1", "x")], &[]));
    client
        .state
        .handle_response(now, delta(Cluster, "n2", &[("b", "1", "bad")], &[]));
    let answers: Vec<(String, bool)> = client
        .requests()
        .into_iter()
        .map(|request| match request {
            AdsRequest::Delta(r) => (r.response_nonce, r.error_detail.is_some()),
            AdsRequest::Sotw(_) => panic!("not state of the world"),
        })
        .collect();
    assert_eq!(answers, [("n1".to_owned(), false), ("n2".to_owned(), true)]);
}

#[test]
fn an_answer_and_a_change_of_names_share_a_request() {
    let mut client = Client::new(Variant::Delta).watching(&[(Cluster, "a")]);
    client.subscribe(&[(Cluster, "b")]);
    let answer = client.respond_delta(delta(Cluster, "n1", &[("a", "1", "x")], &[]));
    assert_eq!(answer.response_nonce, "n1");
    assert_eq!(answer.resource_names_subscribe, ["b"]);
}

#[test]
fn partly_valid_response_is_applied_in_part_and_refused() {
    let mut client = Client::new(Variant::Delta).watching(&[(Cluster, "a"), (Cluster, "b")]);
    let things = [("a", "1", "x"), ("b", "1", "bad")];
    let nack = client.respond_delta(delta(Cluster, "n1", &things, &[]));
    assert_eq!(message(nack.error_detail), r#""b": content: bad"#);
    assert_eq!(client.answer(Cluster, "a"), "=x");
    assert_eq!(client.status(Cluster, "b"), Status::Nacked);
}

#[test]
fn reconnect_claims_what_is_held_and_nothing_else() {
    let names = ["a", "b", "c", "d", "e"].map(|name| (Cluster, name));
    let mut client = Client::new(Variant::Delta).watching(&names);
    let things = [
        ("a", "1", "x"),
        ("b", "1", "x"),
        ("c", "1", "bad"),
        ("e", "1", "x"),
    ];
    client.respond_delta(delta(Cluster, "n1", &things, &["d"]));
    client.respond_delta(delta(Cluster, "n2", &[("b", "2", "bad")], &["e"]));
    client.changes();
    client.subscribe(&[(Cluster, "f")]);
    client.close();
    client.connect();
    let first = client.delta();
    assert_eq!(
        first.resource_names_subscribe,
        ["a", "b", "c", "d", "e", "f"]
    );
    let held: Vec<(&str, &str)> = first
        .initial_resource_versions
        .iter()
        .map(|(name, version)| (name.as_str(), version.as_str()))
        .collect();
    assert_eq!(held, [("a", "1"), ("b", "1")], "b with the version in use");
    assert_eq!(first.response_nonce, "");
    client.subscribe(&[(Cluster, "g")]);
    assert!(
        client.delta().initial_resource_versions.is_empty(),
        "once a stream"
    );
}

#[test]
fn removed_resources_do_not_exist_until_they_are_sent_again() {
    let names = [(Endpoints, "a"), (Endpoints, "b")];
    let mut client = Client::new(Variant::Delta).watching(&names);
    client.respond_delta(delta(
        Endpoints,
        "n1",
        &[("a", "1", "x")],
        &["b", "stranger"],
    ));
    client.changes();
    assert_eq!(client.status(Endpoints, "b"), Status::DoesNotExist);
    let ack = client.respond_delta(delta(Endpoints, "n2", &[], &["a"]));
    assert_eq!(ack.error_detail, None);
    assert_eq!(
        client.changes(),
        ["a"],
        "also of a type that is never deleted by absence"
    );
    assert_eq!(
        client.answer(Endpoints, "a"),
        r#"!xDS node "node-7": ClusterLoadAssignment "a" does not exist on the server"#
    );
    client.respond_delta(delta(Endpoints, "n3", &[("a", "2", "x")], &[]));
    assert_eq!(client.answer(Endpoints, "a"), "=x");
    assert_eq!(client.decoded(), 2, "nothing of it was kept");
}

#[test]
fn removed_resource_names_count_as_well() {
    let mut client = Client::new(Variant::Delta).watching(&[(Cluster, "a")]);
    let mut response = delta(Cluster, "n1", &[], &[]);
    response.removed_resource_names = vec![ResourceName {
        name: "a".to_owned(),
        ..Default::default()
    }];
    client.respond_delta(response);
    assert_eq!(client.status(Cluster, "a"), Status::DoesNotExist);
}

#[test]
fn what_a_response_does_not_mention_stays() {
    let mut client = Client::new(Variant::Delta).watching(&[(Cluster, "a"), (Cluster, "b")]);
    client.respond_delta(delta(
        Cluster,
        "n1",
        &[("a", "1", "x"), ("b", "1", "y")],
        &[],
    ));
    client.respond_delta(delta(Cluster, "n2", &[("b", "2", "z")], &[]));
    assert_eq!(client.answer(Cluster, "a"), "=x");
    assert_eq!(client.answer(Cluster, "b"), "=z");
}

#[test]
fn the_wrappers_name_counts() {
    let mut client = Client::new(Variant::Delta).watching(&[(Cluster, "alias")]);
    let mut response = delta(Cluster, "n1", &[("other", "1", "x")], &[]);
    response.resources[0].name = "alias".to_owned();
    client.respond_delta(response);
    assert_eq!(client.answer(Cluster, "alias"), "=x");

    let mut empty = delta(Cluster, "n2", &[("alias", "2", "y")], &[]);
    empty.resources[0].resource = None;
    let text = message(client.respond_delta(empty).error_detail);
    assert_eq!(text, r#""alias": resource: missing"#);
    assert!(client.answer(Cluster, "alias").starts_with("=x !"));
}

#[test]
fn unchanged_bytes_take_the_new_version_without_being_decoded() {
    let mut client = Client::new(Variant::Delta).watching(&[(Cluster, "a")]);
    client.respond_delta(delta(Cluster, "n1", &[("a", "1", "x")], &[]));
    client.changes();
    client.respond_delta(delta(Cluster, "n2", &[("a", "2", "x")], &[]));
    assert_eq!((client.decoded(), client.changes().len()), (1, 0));
    client.close();
    client.connect();
    assert_eq!(client.delta().initial_resource_versions["a"], "2");
}
