//! Make before break, and what is subscribed to meanwhile.

use std::sync::Arc;

use mesh_core::config::{ClusterChoice, WeightedCluster, WeightedClusters};

use super::world::{World, brief, cluster, endpoints, inline, listener, route_config, routes};
use crate::{
    resource::{
        Resource,
        ResourceType::{Cluster, Endpoints, Listener, RouteConfig},
        RouteConfigResource, RouteSource,
    },
    store::ErrorKind,
};

/// `shop` goes by `r` to `a`.
fn shop() -> World {
    let mut world = World::watching(&["shop"]);
    world
        .listener("shop", "r")
        .routes("r", &["a"])
        .cluster("a", 1);
    assert_eq!(brief(&world.snapshot("shop"), "a"), "[1]");
    world
}

#[test]
fn each_answer_leads_to_the_next_question() {
    let mut world = World::watching(&["shop"]);
    assert_eq!(world.subscribed(), ["Listener shop"]);
    world.listener("shop", "r");
    assert_eq!(
        world.subscribed(),
        ["Listener shop", "RouteConfiguration r"]
    );
    world.routes("r", &["a", "b"]);
    assert_eq!(
        world.subscribed(),
        [
            "Listener shop",
            "RouteConfiguration r",
            "Cluster a",
            "Cluster b"
        ]
    );
    world.put(Cluster, "a", cluster("a", "a-eds"));
    assert!(
        world
            .subscribed()
            .contains(&"ClusterLoadAssignment a-eds".to_owned())
    );
    world.put(Endpoints, "a-eds", endpoints(1));
    assert!(
        world
            .text("shop")
            .contains("waiting for Cluster \"b\" (requested from plane:1)")
    );
    world.put(Cluster, "b", cluster("b", "b-eds"));
    assert!(
        world
            .text("shop")
            .contains("waiting for ClusterLoadAssignment \"b-eds\"")
    );
    world.put(Endpoints, "b-eds", endpoints(2));
    let snapshot = world.snapshot("shop");
    assert_eq!(
        (brief(&snapshot, "a"), brief(&snapshot, "b")),
        ("[1]".into(), "[2]".into())
    );
}

#[test]
fn new_routes_wait_for_their_clusters() {
    let mut world = shop();
    let old = world.snapshot("shop");
    world.routes("r", &["b"]);
    world.put(Cluster, "b", cluster("b", "b-eds"));
    assert!(
        Arc::ptr_eq(&old, &world.snapshot("shop")),
        "the old one stays in force"
    );
    for kept in ["Cluster a", "ClusterLoadAssignment a-eds", "Cluster b"] {
        assert!(world.subscribed().contains(&kept.to_owned()), "{kept}");
    }
    // The old one goes on to be looked after.
    world.put(Endpoints, "a-eds", endpoints(11));
    assert_eq!(brief(&world.snapshot("shop"), "a"), "[11]");
    world.put(Endpoints, "b-eds", endpoints(2));
    let new = world.snapshot("shop");
    assert_eq!((new.clusters.len(), brief(&new, "b")), (1, "[2]".into()));
    assert_eq!(
        world.subscribed(),
        [
            "Listener shop",
            "RouteConfiguration r",
            "Cluster b",
            "ClusterLoadAssignment b-eds"
        ]
    );
}

#[test]
fn a_new_listener_waits_for_its_routes() {
    let mut world = shop();
    let old = world.snapshot("shop");
    world.listener("shop", "r2");
    assert!(Arc::ptr_eq(&old, &world.snapshot("shop")));
    assert!(
        world
            .subscribed()
            .contains(&"RouteConfiguration r".to_owned())
    );
    world.routes("r2", &["a"]);
    let new = world.snapshot("shop");
    assert!(!Arc::ptr_eq(&old.routes, &new.routes));
    assert!(new.clusters["a"].same(&old.clusters["a"]));
    assert!(
        !world
            .subscribed()
            .contains(&"RouteConfiguration r".to_owned())
    );
}

#[test]
fn a_cluster_that_moves_keeps_its_endpoints_until_it_has_new_ones() {
    let mut world = shop();
    world.put(Cluster, "a", cluster("a", "moved"));
    assert_eq!(brief(&world.snapshot("shop"), "a"), "[1]");
    world.put(Endpoints, "a-eds", endpoints(5));
    assert_eq!(
        brief(&world.snapshot("shop"), "a"),
        "[5]",
        "followed until then"
    );
    world.put(Endpoints, "moved", endpoints(9));
    assert_eq!(brief(&world.snapshot("shop"), "a"), "[9]");
    assert!(
        !world
            .subscribed()
            .contains(&"ClusterLoadAssignment a-eds".to_owned())
    );
}

#[test]
fn a_change_taken_back_before_it_was_complete_leaves_nothing_behind() {
    let mut world = shop();
    let (old, before) = (world.snapshot("shop"), world.subscribed());
    world.routes("r", &["b"]);
    world.routes("r", &["a"]);
    assert_eq!(world.subscribed(), before);
    assert!(world.snapshot("shop").clusters["a"].same(&old.clusters["a"]));
}

#[test]
fn an_error_is_an_answer_too() {
    let mut world = shop();
    world.routes("r", &["a", "b"]);
    world.fail(Cluster, "b", ErrorKind::Absent);
    let snapshot = world.snapshot("shop");
    assert_eq!(brief(&snapshot, "a"), "[1]");
    assert_eq!(brief(&snapshot, "b"), "Cluster b failed");
}

#[test]
fn an_error_that_is_mended_is_no_answer_until_there_are_endpoints() {
    let mut world = shop();
    world.routes("r", &["a", "b"]);
    world.fail(Cluster, "b", ErrorKind::Absent);
    world.put(Cluster, "b", cluster("b", "b-eds"));
    let old = world.snapshot("shop");
    world.routes("r", &["b"]);
    assert!(
        Arc::ptr_eq(&old, &world.snapshot("shop")),
        "the old one stays in force"
    );
    world.put(Endpoints, "b-eds", endpoints(2));
    let new = world.snapshot("shop");
    assert_eq!((new.clusters.len(), brief(&new, "b")), (1, "[2]".into()));
}

#[test]
fn a_trouble_of_the_connection_is_no_reason_to_take_a_new_version() {
    let mut world = shop();
    let old = world.snapshot("shop");
    world.routes("r", &["b"]).connection(Some("refused"));
    assert!(Arc::ptr_eq(&old, &world.snapshot("shop")));
    world.connection(None).cluster("b", 2);
    assert_eq!(brief(&world.snapshot("shop"), "b"), "[2]");
}

#[test]
fn inline_routes_need_no_more_than_their_clusters() {
    let mut world = World::watching(&["shop"]);
    world.put(
        Listener,
        "shop",
        listener("shop", RouteSource::Inline(inline("shop", &["a"]))),
    );
    assert_eq!(world.subscribed(), ["Listener shop", "Cluster a"]);
    world.cluster("a", 1);
    assert_eq!(brief(&world.snapshot("shop"), "a"), "[1]");
}

#[test]
fn weighted_clusters_are_all_needed_and_those_of_a_header_are_not_known() {
    let mut world = World::watching(&["shop"]);
    let of = |name: &str| WeightedCluster {
        name: name.into(),
        weight: 1,
        filter_overrides: Default::default(),
    };
    let weighted = ClusterChoice::Weighted(WeightedClusters {
        clusters: vec![of("a"), of("b")],
        header_name: None,
    });
    let by_header = ClusterChoice::Header(http::HeaderName::from_static("x-cluster"));
    let config = route_config("r", vec![weighted, by_header]);
    let resource = Resource::RouteConfig(Arc::new(RouteConfigResource { config }));
    world.listener("shop", "r").put(RouteConfig, "r", resource);
    assert_eq!(world.subscribed()[2..], ["Cluster a", "Cluster b"]);
}

#[test]
fn what_nobody_needs_any_more_goes() {
    let mut world = World::watching(&["shop", "bank"]);
    world.listener("shop", "r").listener("bank", "q");
    world.routes("r", &["a", "both"]).routes("q", &["both"]);
    world.cluster("a", 1).cluster("both", 2);
    world.snapshot("bank");
    world.graph.unwatch("shop");
    world.turn();
    assert_eq!(
        world.subscribed(),
        [
            "Listener bank",
            "RouteConfiguration q",
            "Cluster both",
            "ClusterLoadAssignment both-eds"
        ]
    );
    world.graph.unwatch("bank");
    world.turn();
    assert_eq!(world.subscribed(), [""; 0]);
    // Watched again, it begins anew with what the store still has.
    world.graph.watch("bank");
    world.turn();
    assert_eq!(brief(&world.snapshot("bank"), "both"), "[2]");
}

#[test]
fn spellings_of_one_name_are_one_resource() {
    let mut world = World::watching(&["shop"]);
    let (one, other) = ("xdstp://x/c/a?k=1&l=2", "xdstp://x/c/a?l=2&k=1");
    world
        .listener("shop", "r")
        .put(RouteConfig, "r", routes("r", &[one, other]));
    assert_eq!(world.subscribed()[2..], [format!("Cluster {one}")]);
    world
        .put(Cluster, other, cluster(one, "eds"))
        .put(Endpoints, "eds", endpoints(1));
    let snapshot = world.snapshot("shop");
    assert_eq!(
        (brief(&snapshot, one), brief(&snapshot, other)),
        ("[1]".into(), "[1]".into())
    );
    world.put(Endpoints, "eds", endpoints(2));
    let snapshot = world.snapshot("shop");
    assert_eq!(
        (brief(&snapshot, one), brief(&snapshot, other)),
        ("[2]".into(), "[2]".into())
    );
}
