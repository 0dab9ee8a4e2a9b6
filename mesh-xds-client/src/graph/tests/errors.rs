//! Errors stay where they are.

use std::sync::Arc;

use mesh_core::config::{
    ClusterConfig, ClusterEntry, Dialect, Discovery, EndpointsConfig, LbPolicyConfig, Transport,
};

use super::world::{World, brief, cluster_with, listener};
use crate::{
    resource::{
        Resource,
        ResourceType::{Cluster, Endpoints, Listener, RouteConfig},
        RouteSource,
    },
    store::ErrorKind,
};

fn shop(clusters: &[&str]) -> World {
    let mut world = World::watching(&["shop"]);
    world
        .listener("shop", "r")
        .routes("r", clusters)
        .cluster("a", 1);
    world
}

#[test]
fn a_cluster_that_cannot_be_used_says_why_and_others_work() {
    let dns = |logical| Discovery::Dns {
        hosts: vec![("x".into(), 1)],
        logical,
    };
    let config = |change: fn(&mut ClusterConfig)| {
        let eds = Discovery::Eds("x".into());
        let mut config = ClusterConfig::new("bad", eds, Dialect::Grpc);
        change(&mut config);
        Resource::Cluster(Arc::new(config))
    };
    for (resource, says) in [
        (
            cluster_with("bad", dns(false)),
            "discovery type is not supported: STRICT_DNS",
        ),
        (
            cluster_with("bad", dns(true)),
            "discovery type is not supported: LOGICAL_DNS",
        ),
        (
            cluster_with("bad", Discovery::Aggregate(vec!["a".into()])),
            "discovery type is not supported: an aggregate",
        ),
        (
            cluster_with("bad", Discovery::OriginalDst),
            "discovery type is not supported: ORIGINAL_DST",
        ),
        (
            config(|config| config.lb.policy = LbPolicyConfig::Unsupported("RING_HASH".into())),
            "load balancing is not supported: RING_HASH",
        ),
        (
            config(|config| config.transport = Transport::Unsupported("tls".into())),
            "transport is not supported: tls",
        ),
    ] {
        let mut world = shop(&["a", "bad"]);
        world.put(Cluster, "bad", resource);
        let snapshot = world.snapshot("shop");
        assert_eq!(brief(&snapshot, "a"), "[1]");
        let bad = brief(&snapshot, "bad");
        assert!(bad.contains(says), "{bad}");
        assert_eq!(world.subscribed().len(), 5, "no endpoints are asked for");
        world.cluster("bad", 2);
        assert_eq!(
            brief(&world.snapshot("shop"), "bad"),
            "[2]",
            "and it may be mended"
        );
    }
}

#[test]
fn a_static_cluster_brings_its_endpoints() {
    let mut world = shop(&["a", "fixed"]);
    let Resource::Endpoints(fixed) = super::world::endpoints(7) else {
        unreachable!();
    };
    world.put(
        Cluster,
        "fixed",
        cluster_with("fixed", Discovery::Static(fixed)),
    );
    assert_eq!(brief(&world.snapshot("shop"), "fixed"), "[7]");
}

#[test]
fn endpoints_that_do_not_exist_leave_an_empty_cluster_with_a_note() {
    for kind in [
        ErrorKind::Absent,
        ErrorKind::Rejected,
        ErrorKind::Refused { code: 5 },
    ] {
        let mut world = shop(&["a", "b"]);
        world.put(Cluster, "b", super::world::cluster("b", "b-eds"));
        world.fail(Endpoints, "b-eds", kind);
        let snapshot = world.snapshot("shop");
        assert_eq!(brief(&snapshot, "a"), "[1]");
        assert_eq!(
            brief(&snapshot, "b"),
            "[]: ClusterLoadAssignment b-eds failed"
        );
        world.put(Endpoints, "b-eds", super::world::endpoints(2));
        assert_eq!(brief(&world.snapshot("shop"), "b"), "[2]");
    }
}

#[test]
fn a_listener_or_routes_that_do_not_exist_take_the_configuration_away() {
    for kind in [ErrorKind::Absent, ErrorKind::Rejected] {
        for (resource, name) in [(Listener, "shop"), (RouteConfig, "r")] {
            let mut world = shop(&["a"]);
            world.snapshot("shop");
            world.fail(resource, name, kind);
            assert!(world.is_absent("shop"), "{:?}", world.latest("shop"));
            assert_eq!(world.text("shop"), format!("{resource} {name} failed"));
            assert!(world.subscribed().contains(&format!("{resource} {name}")));
            assert!(!world.subscribed().contains(&"Cluster a".to_owned()));
            world.listener("shop", "r").routes("r", &["a"]);
            assert_eq!(brief(&world.snapshot("shop"), "a"), "[1]");
        }
    }
}

#[test]
fn a_trouble_that_may_pass_takes_nothing_away_and_is_named_where_there_is_nothing() {
    for kind in [
        ErrorKind::Timeout,
        ErrorKind::Connection,
        ErrorKind::Refused { code: 14 },
    ] {
        let mut world = World::watching(&["shop"]);
        world.fail(Listener, "shop", kind);
        assert!(!world.is_absent("shop"));
        let text = world.text("shop");
        assert!(
            text.starts_with("xDS node \"n\": waiting for Listener \"shop\" (requested from")
                && text.contains("last error: Listener shop failed"),
            "{text}"
        );
        world.listener("shop", "r").fail(RouteConfig, "r", kind);
        let text = world.text("shop");
        assert!(
            text.contains("RouteConfiguration \"r\"") && text.contains("r failed"),
            "{text}"
        );
    }
}

#[test]
fn a_lost_connection_disturbs_nothing_that_works() {
    let mut world = shop(&["a", "b"]);
    world.put(Cluster, "b", super::world::cluster("b", "b-eds"));
    let empty = Resource::Endpoints(Arc::new(EndpointsConfig::default()));
    world.put(Endpoints, "b-eds", empty);
    let (before, told) = (world.snapshot("shop"), world.told["shop"]);
    world.connection(Some("refused"));
    assert!(Arc::ptr_eq(&before, &world.snapshot("shop")));
    assert_eq!(world.told["shop"], told);
}

#[test]
fn with_nothing_in_force_a_cluster_without_an_answer_holds_up_nobody() {
    let mut world = shop(&["a", "b", "c"]);
    world.put(Cluster, "c", super::world::cluster("c", "c-eds"));
    world.connection(Some("refused"));
    let snapshot = world.snapshot("shop");
    assert_eq!(brief(&snapshot, "a"), "[1]");
    assert_eq!(brief(&snapshot, "b"), "refused");
    assert_eq!(brief(&snapshot, "c"), "[]: refused");
    world.connection(None);
    assert_eq!(
        brief(&world.snapshot("shop"), "b"),
        "refused",
        "until there is better"
    );
    world.cluster("b", 2).cluster("c", 3);
    let snapshot = world.snapshot("shop");
    assert_eq!(
        (brief(&snapshot, "b"), brief(&snapshot, "c")),
        ("[2]".into(), "[3]".into())
    );
}

#[test]
fn an_error_beside_a_value_is_a_note() {
    let mut world = shop(&["a"]);
    world.stain(Endpoints, "a-eds", ErrorKind::Rejected);
    assert_eq!(
        brief(&world.snapshot("shop"), "a"),
        "[1]: ClusterLoadAssignment a-eds is stained"
    );
    world.put(Endpoints, "a-eds", super::world::endpoints(1));
    assert_eq!(brief(&world.snapshot("shop"), "a"), "[1]");
    world.stain(Cluster, "a", ErrorKind::Absent);
    assert_eq!(
        brief(&world.snapshot("shop"), "a"),
        "[1]: Cluster a is stained"
    );
    // On what a target itself stands on it is for the status only.
    let told = world.told["shop"];
    world
        .stain(Listener, "shop", ErrorKind::Rejected)
        .stain(RouteConfig, "r", ErrorKind::Rejected);
    assert_eq!(world.told["shop"], told);
}

#[test]
fn a_cluster_that_is_deleted_is_unavailable_and_lets_its_endpoints_go() {
    let mut world = shop(&["a"]);
    world.fail(Cluster, "a", ErrorKind::Absent);
    assert!(matches!(
        world.snapshot("shop").clusters["a"],
        ClusterEntry::Unavailable(_)
    ));
    assert!(
        !world
            .subscribed()
            .contains(&"ClusterLoadAssignment a-eds".to_owned())
    );
    world.cluster("a", 4);
    assert_eq!(brief(&world.snapshot("shop"), "a"), "[4]");
}

#[test]
fn a_name_that_cannot_be_asked_for_is_an_error_until_it_can() {
    let mut world = World::default();
    world.forbidden.extend(["b".to_owned(), "bank".to_owned()]);
    world.graph.watch("shop");
    world.graph.watch("bank");
    world.turn();
    assert_eq!(
        (world.is_absent("bank"), world.text("bank")),
        (true, "forbidden")
    );
    let told = world.told["bank"];
    world
        .listener("shop", "r")
        .routes("r", &["a", "b"])
        .cluster("a", 1);
    let snapshot = world.snapshot("shop");
    assert_eq!(
        (brief(&snapshot, "a"), brief(&snapshot, "b")),
        ("[1]".into(), "forbidden".into())
    );
    assert_eq!(world.told["bank"], told);
    world.put(
        Listener,
        "shop",
        listener("shop", RouteSource::Rds("r".into())),
    );
    assert!(world.subscribed().iter().all(|name| name != "Cluster b"));
}
