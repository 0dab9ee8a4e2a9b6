//! The life of a resource: silence, deletion, errors from the server, in both dialects.

use super::*;
use crate::store::ErrorKind;

const PLAIN: ServerFeatures = ServerFeatures {
    delta: false,
    ignore_resource_deletion: false,
    fail_on_data_errors: false,
    resource_timer_is_transient_error: false,
    trusted_xds_server: false,
};
const IGNORE: ServerFeatures = ServerFeatures {
    ignore_resource_deletion: true,
    ..PLAIN
};
const FAIL: ServerFeatures = ServerFeatures {
    fail_on_data_errors: true,
    ..PLAIN
};
const TRANSIENT: ServerFeatures = ServerFeatures {
    resource_timer_is_transient_error: true,
    ..PLAIN
};

fn client(variant: Variant, dialect: Dialect, features: ServerFeatures) -> Client {
    Client::with(variant, dialect, features, Limits::default())
}

#[test]
fn expiry_timer_fires_15_s_after_the_request() {
    for variant in [Variant::Sotw, Variant::Delta] {
        let mut client = Client::new(variant);
        client.subscribe(&[(Cluster, "a")]);
        client.advance(100.0);
        client.connect();
        client.advance(100.0);
        assert_eq!(
            client.state.poll_timeout(),
            None,
            "nothing was asked for yet"
        );
        client.requests();
        client.advance(14.9);
        assert_eq!(client.answer(Cluster, "a"), "waiting");
        client.advance(0.1);
        assert_eq!(client.changes(), ["a"]);
        let text = "was not sent within 15 s of being asked for";
        assert_eq!(
            client.answer(Cluster, "a"),
            format!(r#"!xDS node "node-7": Cluster "a" {text}"#)
        );
        assert_eq!(client.status(Cluster, "a"), Status::DoesNotExist);
        assert_eq!(client.state.poll_timeout(), None);
    }
}

#[test]
fn any_word_of_the_resource_stops_its_timer() {
    let names = ["good", "bad", "error", "silent"].map(|name| (Cluster, name));
    let mut client = Client::new(Variant::Sotw).watching(&names);
    client.advance(5.0);
    let mut response = sotw(Cluster, "1", "n1", &[("good", "x"), ("bad", "bad")]);
    response
        .resource_errors
        .push(server_error("error", 14, "later"));
    client.respond(response);
    client.changes();
    client.advance(10.0);
    assert_eq!(client.changes(), ["silent"]);
    assert_eq!(client.state.poll_timeout(), None);
}

#[test]
fn timers_stop_with_the_stream_and_start_anew_for_what_was_never_received() {
    let names = ["received", "absent", "silent"].map(|name| (Cluster, name));
    let mut client = Client::new(Variant::Sotw).watching(&names[..2]);
    client.respond(sotw(Cluster, "1", "n1", &[("received", "x")]));
    client.advance(15.0);
    assert_eq!(client.changes(), ["absent", "received"]);
    client.subscribe(&names[2..]);
    client.requests();
    client.advance(10.0);
    client.close();
    assert_eq!(client.state.poll_timeout(), None);
    client.advance(10.0);
    assert_eq!(client.answer(Cluster, "silent"), "waiting");
    client.connect();
    client.requests();
    client.advance(10.0);
    assert_eq!(client.answer(Cluster, "silent"), "waiting");
    client.advance(5.0);
    assert_eq!(client.changes(), ["silent"]);
}

#[test]
fn a_timer_of_what_nobody_wants_does_not_fire() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a"), (Cluster, "b")]);
    client.state.unsubscribe(Cluster, "a");
    client.advance(20.0);
    assert_eq!(client.changes(), ["b"]);
    client.requests();
    client.subscribe(&[(Cluster, "a")]);
    client.requests();
    client.advance(14.0);
    assert_eq!(client.answer(Cluster, "a"), "waiting");
}

#[test]
fn silence_of_a_server_that_reports_absence_is_transient_after_30_s() {
    let mut client = client(Variant::Sotw, Dialect::Grpc, TRANSIENT).watching(&[(Cluster, "a")]);
    client.advance(29.9);
    assert_eq!(client.answer(Cluster, "a"), "waiting");
    client.advance(0.1);
    assert_eq!(client.status(Cluster, "a"), Status::Timeout);
    let entry = client.state.resource(Cluster, "a").expect("subscribed");
    let kind = entry.error().expect("an error").kind;
    assert_eq!((kind, kind.is_transient()), (ErrorKind::Timeout, true));
}

#[test]
fn resource_sent_after_its_timer_fired_is_used() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a")]);
    client.advance(15.0);
    client.respond(sotw(Cluster, "1", "n1", &[("a", "x")]));
    assert_eq!(client.answer(Cluster, "a"), "=x");
    assert_eq!(client.status(Cluster, "a"), Status::Acked);
}

#[test]
fn absence_deletes_listeners_and_clusters_only_and_only_what_was_received() {
    for kind in ResourceType::ALL {
        let names = [(kind, "a"), (kind, "b"), (kind, "c"), (kind, "new")];
        let mut client = Client::new(Variant::Sotw).watching(&names);
        client.respond(sotw(
            kind,
            "1",
            "n1",
            &[("a", "x"), ("b", "y"), ("c", "bad")],
        ));
        client.changes();
        let ack = client.respond(sotw(kind, "2", "n2", &[("a", "x")]));
        assert_eq!(ack.error_detail, None);
        if kind.all_in_sotw() {
            assert_eq!(client.changes(), ["b", "c"], "{kind}");
            assert_eq!(client.status(kind, "b"), Status::DoesNotExist);
            assert_eq!(client.status(kind, "c"), Status::DoesNotExist);
            assert!(client.answer(kind, "b").starts_with('!'));
        } else {
            assert_eq!(client.changes(), Vec::<String>::new(), "{kind}");
            assert_eq!(client.answer(kind, "b"), "=y");
        }
        assert_eq!(client.answer(kind, "new"), "waiting");
    }
}

#[test]
fn a_refused_response_deletes_what_it_does_not_mention() {
    let mut client = Client::new(Variant::Sotw).watching(&[(Cluster, "a"), (Cluster, "b")]);
    client.respond(sotw(Cluster, "1", "n1", &[("a", "x"), ("b", "y")]));
    client.respond(sotw(Cluster, "2", "n2", &[("a", "bad")]));
    assert!(client.answer(Cluster, "a").starts_with("=x !"));
    assert_eq!(client.status(Cluster, "b"), Status::DoesNotExist);
}

#[test]
fn deletion_follows_dialect_and_server_features() {
    let both = ServerFeatures {
        ignore_resource_deletion: true,
        ..FAIL
    };
    for (dialect, features, obeyed) in [
        (Dialect::Grpc, PLAIN, true),
        (Dialect::Grpc, IGNORE, false),
        (Dialect::Grpc, FAIL, true),
        (Dialect::Grpc, TRANSIENT, false),
        (Dialect::Grpc, both, true),
        (Dialect::Envoy, PLAIN, true),
        (Dialect::Envoy, IGNORE, true),
        (Dialect::Envoy, TRANSIENT, true),
    ] {
        for variant in [Variant::Sotw, Variant::Delta] {
            let mut client = client(variant, dialect, features).watching(&[(Listener, "a")]);
            let gone = |client: &mut Client, nonce: &str| match variant {
                Variant::Sotw => drop(client.respond(sotw(Listener, nonce, nonce, &[]))),
                Variant::Delta => drop(client.respond_delta(delta(Listener, nonce, &[], &["a"]))),
            };
            match variant {
                Variant::Sotw => drop(client.respond(sotw(Listener, "1", "1", &[("a", "x")]))),
                Variant::Delta => {
                    drop(client.respond_delta(delta(Listener, "1", &[("a", "1", "x")], &[])));
                }
            }
            client.changes();
            gone(&mut client, "2");
            let case = format!("{dialect:?} {features:?} {variant:?}");
            assert_eq!(client.changes(), ["a"], "{case}");
            let text = client.answer(Listener, "a");
            if obeyed {
                assert!(
                    text.ends_with("does not exist on the server"),
                    "{case}: {text}"
                );
                assert!(text.starts_with('!'), "{case}: {text}");
            } else {
                assert!(text.starts_with("=x !"), "{case}: {text}");
                assert!(
                    text.ends_with("was deleted by the server, and stays in use"),
                    "{text}"
                );
            }
            gone(&mut client, "3");
            assert_eq!(client.changes(), Vec::<String>::new(), "told once: {case}");
            match variant {
                Variant::Sotw => drop(client.respond(sotw(Listener, "4", "4", &[("a", "x")]))),
                Variant::Delta => {
                    drop(client.respond_delta(delta(Listener, "4", &[("a", "4", "x")], &[])));
                }
            }
            assert_eq!(client.changes(), ["a"], "{case}");
            assert_eq!(client.answer(Listener, "a"), "=x", "{case}");
        }
    }
}

#[test]
fn refused_resource_takes_the_cached_one_along_only_if_the_server_features_say_so() {
    for (dialect, features, kept) in [
        (Dialect::Grpc, PLAIN, true),
        (Dialect::Grpc, IGNORE, true),
        (Dialect::Grpc, TRANSIENT, true),
        (Dialect::Grpc, FAIL, false),
        (Dialect::Envoy, FAIL, true),
    ] {
        let mut client = client(Variant::Sotw, dialect, features).watching(&[(Cluster, "a")]);
        client.respond(sotw(Cluster, "1", "n1", &[("a", "x")]));
        client.respond(sotw(Cluster, "2", "n2", &[("a", "bad")]));
        let text = client.answer(Cluster, "a");
        let begin = if kept { "=x !" } else { "!" };
        assert!(text.starts_with(begin), "{dialect:?} {features:?}: {text}");
        assert_eq!(client.status(Cluster, "a"), Status::Nacked);
        client.respond(sotw(Cluster, "1", "n3", &[("a", "x")]));
        assert_eq!(client.answer(Cluster, "a"), "=x");
    }
}

#[test]
fn errors_from_the_server_keep_the_cache_unless_they_are_data_errors_and_those_count() {
    const NOT_FOUND: i32 = 5;
    const PERMISSION_DENIED: i32 = 7;
    const UNAVAILABLE: i32 = 14;
    for (features, code, kept) in [
        (PLAIN, NOT_FOUND, true),
        (PLAIN, UNAVAILABLE, true),
        (FAIL, UNAVAILABLE, true),
        (FAIL, NOT_FOUND, false),
        (FAIL, PERMISSION_DENIED, false),
    ] {
        for variant in [Variant::Sotw, Variant::Delta] {
            let names = [(Cluster, "a"), (Cluster, "b")];
            let mut client = client(variant, Dialect::Grpc, features).watching(&names);
            let errors = vec![server_error("a", code, "no"), server_error("b", code, "no")];
            match variant {
                Variant::Sotw => {
                    client.respond(sotw(Cluster, "1", "1", &[("a", "x")]));
                    let mut response = sotw(Cluster, "2", "2", &[]);
                    response.resource_errors = errors;
                    assert_eq!(client.respond(response).error_detail, None);
                }
                Variant::Delta => {
                    client.respond_delta(delta(Cluster, "1", &[("a", "1", "x")], &[]));
                    let mut response = delta(Cluster, "2", &[], &[]);
                    response.resource_errors = errors;
                    assert_eq!(client.respond_delta(response).error_detail, None);
                }
            }
            let case = format!("{features:?} {code} {variant:?}");
            assert_eq!(client.changes(), ["a", "b"], "{case}");
            assert_eq!(client.status(Cluster, "a"), Status::ReceivedError);
            let text = client.answer(Cluster, "a");
            assert!(
                text.starts_with(if kept { "=x !" } else { "!" }),
                "{case}: {text}"
            );
            assert!(text.ends_with(&format!("refused by the server with status {code}: no")));
            assert!(client.answer(Cluster, "b").starts_with('!'));
            let entry = client.state.resource(Cluster, "b").expect("subscribed");
            let transient = entry.error().expect("an error").kind.is_transient();
            assert_eq!(transient, code == UNAVAILABLE, "{case}");
        }
    }
}
