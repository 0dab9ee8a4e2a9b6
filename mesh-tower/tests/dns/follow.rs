//! When a name is resolved, and what becomes of the answers.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use mesh_core::{
    config::{Dialect, Discovery, Protocol},
    source::{ConfigSource, ConfigUpdate},
};
use mesh_tower::{
    connect::Executor,
    source::{DirectConfig, DnsSource},
};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Script, absent, addresses, all, cluster, here, next, ready, sockets};

const TARGET: &str = "dns:///shop.test:80";

fn source(script: &Script) -> DnsSource {
    DnsSource::new(DirectConfig::of(Dialect::Grpc), here()).resolver(script.clone())
}

/// Milliseconds between the questions.
fn pauses(script: &Script) -> Vec<u128> {
    let asked = script.asked();
    let pairs = asked.windows(2);
    pairs
        .map(|pair| (pair[1].1 - pair[0].1).as_millis())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn all_addresses_of_both_families_are_endpoints() {
    let answer = all(&["[::1]:80", "10.0.0.2:80", "10.0.0.1:80", "10.0.0.2:80"]);
    let script = Script::new([Ok(answer)]);
    let source = source(&script);
    let mut watch = source.watch(&TARGET.into());
    assert!(
        matches!(watch.latest(), ConfigUpdate::Pending(text) if &*text == "waiting for the addresses of shop.test")
    );
    let snapshot = ready(next(&mut watch).await);
    assert_eq!(script.asked()[0].0, "shop.test 80");
    let sorted = sockets(&["10.0.0.1:80", "10.0.0.2:80", "[::1]:80"]);
    assert_eq!(addresses(&snapshot), sorted);
    let config = &cluster(&snapshot).config;
    assert_eq!(config.name.as_str(), TARGET);
    assert!(matches!(config.protocol, Protocol::Http2(_)));
    assert!(
        matches!(&config.discovery, Discovery::Dns { hosts, logical: false } if hosts.len() == 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_connection_asks_anew_but_not_within_thirty_seconds() {
    let script = Script::new([
        Ok(all(&["10.0.0.1:80"])),
        Ok(all(&["10.0.0.2:80"])),
        Ok(all(&["10.0.0.3:80"])),
    ]);
    let source = source(&script);
    let mut watch = source.watch(&TARGET.into());
    let first = ready(next(&mut watch).await);

    let begin = Instant::now();
    sleep(Duration::from_secs(10)).await;
    for _ in 0..5 {
        source.connection_failed(&TARGET.into());
        source.connection_failed(&"dns:///elsewhere.test:80".into());
    }
    let second = ready(next(&mut watch).await);
    assert_eq!((Instant::now() - begin).as_secs(), 30);
    assert_eq!(addresses(&second), sockets(&["10.0.0.2:80"]));
    // What did not change is the same.
    assert!(Arc::ptr_eq(&first.routes, &second.routes));
    assert!(Arc::ptr_eq(&first.listener, &second.listener));
    assert!(Arc::ptr_eq(
        &cluster(&first).config,
        &cluster(&second).config
    ));

    // Without a failure nobody asks, however old the answer; with one, it is asked at once.
    let long = Duration::from_secs(3600);
    assert!(timeout(long, watch.changed()).await.is_err());
    let begin = Instant::now();
    source.connection_failed(&TARGET.into());
    let third = ready(next(&mut watch).await);
    assert_eq!(Instant::now(), begin);
    assert_eq!(addresses(&third), sockets(&["10.0.0.3:80"]));
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn another_order_is_no_change() {
    let script = Script::new([
        Ok(all(&["10.0.0.1:80", "10.0.0.2:80"])),
        Ok(all(&["10.0.0.2:80", "10.0.0.1:80"])),
    ]);
    let source = source(&script);
    let mut watch = source.watch(&TARGET.into());
    ready(next(&mut watch).await);
    source.connection_failed(&TARGET.into());
    assert!(
        timeout(Duration::from_secs(60), watch.changed())
            .await
            .is_err()
    );
    assert_eq!(script.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_does_not_resolve_fails_with_its_reason_and_is_asked_again() {
    let script = Script::new([
        Err("no such name"),
        Err("no such name"),
        Ok(Vec::new()),
        Ok(all(&["10.0.0.1:80"])),
    ]);
    let source = source(&script);
    let mut watch = source.watch(&TARGET.into());
    let reason = absent(next(&mut watch).await);
    assert_eq!(&*reason, "no address for shop.test: no such name");
    let mut update = next(&mut watch).await;
    while let ConfigUpdate::Absent(_) = update {
        update = next(&mut watch).await;
    }
    assert_eq!(addresses(&ready(update)), sockets(&["10.0.0.1:80"]));
    let [first, second, third] = pauses(&script)[..] else {
        panic!("{:?}", script.asked());
    };
    // 1 s, 1.6 s and 2.56 s, each 20 % up or down.
    assert!((800..=1_201).contains(&first), "{first}");
    assert!((1_280..=1_921).contains(&second), "{second}");
    assert!((2_048..=3_073).contains(&third), "{third}");
}

#[tokio::test(start_paused = true)]
async fn a_later_failure_to_resolve_keeps_the_addresses() {
    let script = Script::new([
        Ok(all(&["10.0.0.1:80"])),
        Err("the resolver is away"),
        Ok(all(&["10.0.0.2:80"])),
    ]);
    let source = source(&script);
    let mut watch = source.watch(&TARGET.into());
    ready(next(&mut watch).await);
    source.connection_failed(&TARGET.into());
    let update = next(&mut watch).await;
    assert_eq!(addresses(&ready(update)), sockets(&["10.0.0.2:80"]));
    let [until_failure, until_answer] = pauses(&script)[..] else {
        panic!("{:?}", script.asked());
    };
    assert_eq!(until_failure, 30_000);
    assert!((800..=1_201).contains(&until_answer), "{until_answer}");
}

#[tokio::test(start_paused = true)]
async fn watches_share_one_following_which_ends_with_the_last() {
    let script = Script::new([Ok(all(&["10.0.0.1:80"]))]);
    let tasks = Arc::new(Mutex::new(Vec::new()));
    let started = Arc::clone(&tasks);
    let executor = Executor::new(move |task| started.lock().unwrap().push(tokio::spawn(task)));
    let config = DirectConfig::of(Dialect::Envoy);
    let source = DnsSource::new(config, executor).resolver(script.clone());
    let mut one = source.watch(&TARGET.into());
    let mut two = source.watch(&TARGET.into());
    ready(next(&mut one).await);
    ready(two.latest());
    assert_eq!((script.asked().len(), tasks.lock().unwrap().len()), (1, 1));
    drop(one);
    source.connection_failed(&TARGET.into());
    sleep(Duration::from_secs(60)).await;
    assert_eq!(script.asked().len(), 2, "the other watch is still served");
    drop(two);
    let task = tasks.lock().unwrap().pop().unwrap();
    timeout(Duration::from_secs(5), task)
        .await
        .unwrap()
        .unwrap();
    // Nobody watches: nobody asks.
    source.connection_failed(&TARGET.into());
    sleep(Duration::from_secs(60)).await;
    assert_eq!(script.asked().len(), 2);
    ready(next(&mut source.watch(&TARGET.into())).await);
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_following_ends_while_its_resolver_is_silent() {
    #[derive(Debug)]
    struct Silent;
    impl mesh_tower::source::Resolve for Silent {
        fn resolve(&self, _: &str, _: u16) -> mesh_tower::source::Resolving {
            Box::pin(std::future::pending())
        }
    }
    let tasks = Arc::new(Mutex::new(Vec::new()));
    let started = Arc::clone(&tasks);
    let executor = Executor::new(move |task| started.lock().unwrap().push(tokio::spawn(task)));
    let source = DnsSource::new(DirectConfig::of(Dialect::Envoy), executor).resolver(Silent);
    drop(source.watch(&TARGET.into()));
    let task = tasks.lock().unwrap().pop().unwrap();
    timeout(Duration::from_secs(5), task)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn what_is_no_name_is_refused_with_the_reason() {
    let source = source(&Script::new([Err("not asked")]));
    for (target, says) in [
        ("unix:/a", "is not of the scheme dns"),
        ("dns:///shop.test", "needs a port"),
    ] {
        let reason = absent(source.watch(&target.into()).latest());
        assert!(reason.contains(target) && reason.contains(says), "{reason}");
    }
}
