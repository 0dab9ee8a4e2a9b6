//! Bounds: over one, an error that names it and a count.

use mesh_core::bounds::Bound;

use super::*;
use crate::protocol::SubscribeError;

const SMALL: Limits = Limits {
    names: 3,
    resources: 5,
    text: 128,
};

fn client(variant: Variant) -> Client {
    Client::with(variant, Dialect::Grpc, ServerFeatures::default(), SMALL)
}

#[test]
fn names_are_bounded_per_kind() {
    let counted = Bound::AdsNames.times();
    let mut client = client(Variant::Sotw);
    client.subscribe(&[
        (Cluster, "a"),
        (Cluster, "b"),
        (Cluster, "c"),
        (Listener, "d"),
    ]);
    let error = client.state.subscribe(Cluster, "d").expect_err("too many");
    assert_eq!(
        error.to_string(),
        format!(
            "3 resources of type {} are subscribed to, the most that is allowed",
            Cluster.type_url()
        )
    );
    assert_eq!(client.state.counters().over_limit, 1);
    assert!(Bound::AdsNames.times() > counted);
    client.subscribe(&[(Cluster, "a")]);
    client.state.unsubscribe(Cluster, "a");
    client.subscribe(&[(Cluster, "d")]);
}

#[test]
fn names_are_neither_empty_nor_long() {
    let mut client = client(Variant::Sotw);
    assert_eq!(
        client.state.subscribe(Cluster, ""),
        Err(SubscribeError::EmptyName)
    );
    let error = SubscribeError::LongName {
        length: 129,
        limit: 128,
    };
    assert_eq!(
        client.state.subscribe(Cluster, &"x".repeat(129)),
        Err(error)
    );
    assert_eq!(client.state.resources().count(), 0);
}

#[test]
fn a_response_with_too_many_resources_is_refused_as_a_whole() {
    let counted = Bound::AdsResources.times();
    let mut client = client(Variant::Sotw).watching(&[(Cluster, "a")]);
    client.respond(sotw(Cluster, "1", "n1", &[("a", "x")]));
    let nack = client.respond(sotw(Cluster, "2", "n2", &[("b", "x"); 6]));
    assert_eq!(
        message(nack.error_detail),
        "resources: 6 in one response, at most 5"
    );
    assert_eq!(
        client.answer(Cluster, "a"),
        "=x",
        "nothing of it is believed"
    );
    assert_eq!(client.state.counters().over_limit, 1);
    assert!(Bound::AdsResources.times() > counted);
}

#[test]
fn versions_are_bounded() {
    let long = "v".repeat(129);
    let mut client = client(Variant::Sotw).watching(&[(Cluster, "a")]);
    let nack = client.respond(sotw(Cluster, &long, "n1", &[("a", "x")]));
    assert_eq!(
        message(nack.error_detail),
        "version_info: 129 bytes, at most 128"
    );
    assert_eq!(nack.version_info, "");

    let mut client = self::client(Variant::Delta).watching(&[(Cluster, "a")]);
    let nack = client.respond_delta(delta(Cluster, "n1", &[("a", &long, "x")], &[]));
    assert_eq!(
        message(nack.error_detail),
        r#""a": version: 129 bytes, at most 128"#
    );
}

#[test]
fn a_response_whose_nonce_cannot_be_repeated_is_dropped() {
    let counted = Bound::AdsText.times();
    let mut client = client(Variant::Sotw).watching(&[(Cluster, "a")]);
    let response = sotw(Cluster, "1", &"n".repeat(129), &[("a", "x")]);
    client.state.handle_response(client.now, response);
    assert_eq!(client.requests(), []);
    assert_eq!(client.answer(Cluster, "a"), "waiting");
    assert_eq!(client.state.counters().over_limit, 1);
    assert!(Bound::AdsText.times() > counted);
}

#[test]
fn texts_are_cut() {
    let mut client = client(Variant::Sotw).watching(&[(Cluster, "a"), (Cluster, "b")]);
    let bad = format!("bad {}", "ö".repeat(1_000));
    let mut response = sotw(Cluster, "1", "n1", &[("a", &bad)]);
    response.resource_errors.push(server_error("b", 14, &bad));
    let nack = client.respond(response);
    let text = message(nack.error_detail);
    assert!(
        text.len() <= 128 && text.ends_with(" ... (1 cut)"),
        "{text}"
    );
    for name in ["a", "b"] {
        let text = client.answer(Cluster, name);
        assert!(
            text.len() <= 129 && text.contains(r#"node "node-7""#),
            "{text}"
        );
    }
}

#[test]
fn texts_stand_on_one_line() {
    let mut client = client(Variant::Sotw).watching(&[(Cluster, "a"), (Cluster, "b")]);
    let mut response = sotw(Cluster, "1", "n1", &[("a", "bad\nlines\n")]);
    response
        .resource_errors
        .push(server_error("b", 14, "no\r\nway"));
    let nack = client.respond(response);
    assert_eq!(message(nack.error_detail), r#""a": content: bad lines"#);
    assert!(client.answer(Cluster, "a").ends_with("content: bad lines"));
    assert!(client.answer(Cluster, "b").ends_with("status 14: no way"));
}

#[test]
fn answers_owed_are_bounded_without_a_turn_between() {
    let mut client = client(Variant::Delta).watching(&[(Cluster, "a")]);
    for nonce in 0..1_000 {
        let response = delta(Cluster, &nonce.to_string(), &[("a", "1", "x")], &[]);
        client.state.handle_response(client.now, response);
    }
    let requests = client.requests();
    assert_eq!(requests.len(), 64);
    match requests.last() {
        Some(AdsRequest::Delta(last)) => assert_eq!(last.response_nonce, "999"),
        other => panic!("not delta: {other:?}"),
    }
}

#[test]
fn a_resource_does_not_keep_its_response_alive() {
    let mut client = client(Variant::Sotw).watching(&[(Cluster, "a")]);
    let response = sotw(Cluster, "1", "n1", &[("a", "x")]);
    let sent = response.resources[0].value.clone();
    client.respond(response);
    assert!(sent.is_unique(), "the stored bytes are a copy");
}

#[test]
fn nonsense_is_survived() {
    let seed = 0xbad;
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let names = ["a", "xdstp://a/t/i?b=1&a=2"].map(|name| (Cluster, name));
    let mut sotw_client = Client::new(Variant::Sotw).watching(&names);
    let mut delta_client = Client::new(Variant::Delta).watching(&names);
    let mut response = sotw(
        Cluster,
        "1",
        "n1",
        &[("a", "x"), ("xdstp://a/t/i?b=1&a=2", "\u{e4}")],
    );
    let inner = Resource {
        name: "a".to_owned(),
        ..Default::default()
    };
    response.resources.push(Any::pack(&inner));
    response
        .resource_errors
        .push(server_error("a", 5, "\u{e4}"));
    let mut change = delta(
        Cluster,
        "n1",
        &[("a", "1", "x"), ("b", "1", "bad")],
        &["a", "?"],
    );
    change.resource_errors.push(server_error("a", 5, "\u{e4}"));
    let (bytes, change) = (response.encode_to_vec(), change.encode_to_vec());
    let mut read = 0;
    for _ in 0..20_000 {
        let mut spoil = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            for _ in 0..random.usize(1..4) {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }
            bytes::Bytes::from(bytes)
        };
        if let Ok(response) = DiscoveryResponse::decode(spoil(&bytes)) {
            sotw_client.state.handle_response(sotw_client.now, response);
            read += 1;
        }
        if let Ok(response) = DeltaDiscoveryResponse::decode(spoil(&change)) {
            delta_client
                .state
                .handle_response(delta_client.now, response);
            read += 1;
        }
        for client in [&mut sotw_client, &mut delta_client] {
            client.changes();
            client.requests();
            client.advance(0.1);
            assert_eq!(client.state.resources().count(), 2);
        }
    }
    assert!(read > 1_000, "{read}");
}
