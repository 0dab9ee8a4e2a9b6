//! Retry policies: gRFC A44, Envoy's "Retry semantics".

use std::time::Duration;

use mesh_core::{
    config::{BackoffConfig, RetryConditions, RetryPolicy},
    policy::route::RouteTable,
};
use pb::retry_policy::RetryBackOff;

use super::*;

fn policy(retry_on: &str) -> pb::RetryPolicy {
    pb::RetryPolicy {
        retry_on: retry_on.to_owned(),
        ..Default::default()
    }
}

fn with(policy: pb::RetryPolicy) -> pb::RouteAction {
    pb::RouteAction {
        retry_policy: Some(policy),
        ..forward("a")
    }
}

fn read(dialect: Dialect, policy: pb::RetryPolicy) -> RetryPolicy {
    let forward = forwarding(dialect, with(policy));
    RetryPolicy::clone(&forward.retry.unwrap())
}

fn refused(dialect: Dialect, policy: pb::RetryPolicy) -> Vec<String> {
    let at = "virtual_hosts[0].routes[0].route.retry_policy.";
    let errors = errors(dialect, &routes(vec![to(with(policy))]));
    let strip = |error: String| error.strip_prefix(at).map_or(error.clone(), str::to_owned);
    errors.into_iter().map(strip).collect()
}

fn back_off(base: Option<Span>, max: Option<Span>) -> pb::RetryPolicy {
    pb::RetryPolicy {
        retry_back_off: Some(RetryBackOff {
            base_interval: base,
            max_interval: max,
        }),
        ..policy("unavailable")
    }
}

#[test]
fn defaults() {
    for dialect in BOTH {
        let policy = read(dialect, policy("unavailable"));
        assert_eq!(policy.num_retries, 1);
        assert_eq!(policy.backoff, BackoffConfig::default());
        assert_eq!(policy.per_try_timeout, None);
    }
}

#[test]
fn unknown_words_are_ignored_and_only_grpc_reads_capitals() {
    let capitals = policy("UNAVAILABLE,5XX");
    assert!(read(Dialect::Envoy, capitals.clone()).on.is_empty());
    let unavailable = RetryConditions::GRPC_UNAVAILABLE.grpc_only();
    assert_eq!(read(Dialect::Grpc, capitals).on, unavailable);
    let words = " 5xx ,unavailable,503, retriable-headers,,connect-failure";
    let both = RetryConditions::FIVE_XX
        .union(RetryConditions::GRPC_UNAVAILABLE)
        .union(RetryConditions::CONNECT_FAILURE);
    assert_eq!(read(Dialect::Envoy, policy(words)).on, both);
    assert_eq!(read(Dialect::Grpc, policy(words)).on, both.grpc_only());
    let all = "cancelled,deadline-exceeded,internal,resource-exhausted,unavailable";
    let found = read(Dialect::Grpc, policy(all)).on;
    for word in all.split(',') {
        assert!(
            found.intersects(RetryConditions::from_word(word).unwrap()),
            "{word}"
        );
    }
    let at = "virtual_hosts[0].routes[0].route.retry_policy.retry_on";
    assert_eq!(
        warnings(Dialect::Envoy, &routes(vec![to(with(policy(words)))])),
        [
            format!("{at}: \"503\" has no effect"),
            format!("{at}: \"retriable-headers\" has no effect")
        ]
    );
}

#[test]
fn a_policy_that_keeps_no_word_still_hides_the_virtual_hosts() {
    let mut message = routes(vec![to(with(policy("5xx"))), to(forward("b"))]);
    message.virtual_hosts[0].retry_policy = Some(policy("unavailable"));
    for (dialect, own) in [
        (Dialect::Grpc, RetryConditions::NONE),
        (Dialect::Envoy, RetryConditions::FIVE_XX),
    ] {
        let table = RouteTable::compile(route_config(dialect, &message));
        let on = |place: usize| {
            let forward = table.routes()[place].forward().unwrap();
            forward.retry.as_ref().unwrap().on
        };
        assert_eq!(on(0), own);
        assert!(on(1).intersects(RetryConditions::GRPC_UNAVAILABLE));
    }
}

#[test]
fn routes_with_equal_policies_share_one() {
    let words = ["unavailable", "unavailable", "internal"];
    let message = routes(words.map(|word| to(with(policy(word)))).to_vec());
    let found = decoded_routes(Dialect::Grpc, &message);
    let policies: Vec<_> = found
        .iter()
        .map(|route| match &route.action {
            RouteAction::Forward(forward) => forward.retry.clone().unwrap(),
            RouteAction::Refuse(reason) => panic!("{reason}"),
        })
        .collect();
    assert!(Arc::ptr_eq(&policies[0], &policies[1]));
    assert!(policies[2].on.intersects(RetryConditions::GRPC_INTERNAL));
}

#[test]
fn the_number_of_retries() {
    let number = |number| pb::RetryPolicy {
        num_retries: Some(number),
        ..policy("unavailable")
    };
    assert_eq!(
        refused(Dialect::Grpc, number(0)),
        ["num_retries: must be at least 1"]
    );
    for (given, expected) in [(1, 1), (4, 4), (5, 4), (u32::MAX, 4)] {
        assert_eq!(read(Dialect::Grpc, number(given)).num_retries, expected);
    }
    for given in [0, 4, 5, u32::MAX] {
        assert_eq!(read(Dialect::Envoy, number(given)).num_retries, given);
    }
}

#[test]
fn the_wait_between_attempts() {
    let ms = Duration::from_millis;
    let micros = Span {
        seconds: 0,
        nanos: 500_000,
    };
    for dialect in BOTH {
        for (policy, expected) in [
            (back_off(Some(millis(10)), None), (ms(10), ms(100))),
            (
                back_off(Some(millis(10)), Some(millis(10))),
                (ms(10), ms(10)),
            ),
            (back_off(Some(micros), None), (ms(1), ms(10))),
            (back_off(Some(micros), Some(micros)), (ms(1), ms(1))),
        ] {
            let found = read(dialect, policy).backoff;
            assert_eq!((found.base, found.max), expected);
        }
        for (policy, expected) in [
            (back_off(None, None), "base_interval: is missing"),
            (
                back_off(Some(millis(0)), None),
                "base_interval: must be greater than zero",
            ),
            (
                back_off(Some(millis(-5)), None),
                "base_interval: is a negative duration",
            ),
            (
                back_off(Some(millis(5)), Some(millis(0))),
                "max_interval: must be greater than zero",
            ),
            (
                back_off(Some(millis(5)), Some(millis(4))),
                "max_interval: is less than base_interval",
            ),
        ] {
            let expected = format!("retry_back_off.{expected}");
            assert_eq!(refused(dialect, policy), [expected]);
        }
    }
}

#[test]
fn what_only_envoy_reads() {
    let message = pb::RetryPolicy {
        per_try_timeout: Some(millis(250)),
        retriable_status_codes: vec![503, 409, 70_000, 99],
        ..policy("retriable-status-codes,unavailable")
    };
    let envoy = read(Dialect::Envoy, message.clone());
    assert_eq!(envoy.per_try_timeout, Some(Duration::from_millis(250)));
    let codes: Vec<_> = envoy.status_codes.iter().map(|c| c.as_u16()).collect();
    assert_eq!(codes, [503, 409]);
    let grpc = read(Dialect::Grpc, message);
    assert!(grpc.per_try_timeout.is_none() && grpc.status_codes.is_empty());
    // What gRPC does not read, it does not refuse either.
    let odd = pb::RetryPolicy {
        per_try_timeout: Some(millis(-1)),
        ..policy("unavailable")
    };
    read(Dialect::Grpc, odd.clone());
    assert_eq!(
        refused(Dialect::Envoy, odd),
        ["per_try_timeout: is a negative duration"]
    );
}

#[test]
fn a_restriction_that_cannot_be_checked_stops_all_retries() {
    let message = pb::RetryPolicy {
        retriable_request_headers: vec![pb::HeaderMatcher {
            name: "idempotent".to_owned(),
            ..Default::default()
        }],
        ..policy("unavailable")
    };
    assert!(read(Dialect::Envoy, message.clone()).on.is_empty());
    assert!(!read(Dialect::Grpc, message).on.is_empty());
}
