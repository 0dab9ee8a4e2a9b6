//! What did not change is the same `Arc`, and is told to nobody.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, Method, Uri};
use mesh_core::{
    config::{DomainPattern, FilterConfig, FilterKind, ListenerConfig, Snapshot},
    policy::head::RequestHead,
};

use super::world::{World, brief, cluster, endpoints, inline, listener, routes};
use crate::resource::{
    ListenerResource, Resource,
    ResourceType::{Cluster, Endpoints, Listener, RouteConfig},
    RouteConfigResource, RouteSource,
};

fn two_targets() -> World {
    let mut world = World::watching(&["shop", "bank"]);
    world
        .listener("shop", "r")
        .listener("bank", "r")
        .routes("r", &["a", "b"]);
    world.cluster("a", 1).cluster("b", 2);
    world
}

#[test]
fn targets_share_routes_and_clusters() {
    let world = two_targets();
    let (shop, bank) = (world.snapshot("shop"), world.snapshot("bank"));
    assert!(Arc::ptr_eq(&shop.routes, &bank.routes));
    assert!(
        shop.clusters
            .iter()
            .all(|(name, entry)| entry.same(&bank.clusters[name.as_str()]))
    );
}

#[test]
fn clusters_stand_in_the_order_of_the_table() {
    let mut world = World::watching(&["shop"]);
    world.listener("shop", "r").routes("r", &["z", "a", "m"]);
    world.cluster("a", 1).cluster("m", 2).cluster("z", 3);
    let snapshot = world.snapshot("shop");
    assert!(snapshot.clusters.keys().eq(snapshot.routes.clusters()));
}

#[test]
fn an_update_of_endpoints_changes_one_entry() {
    let mut world = two_targets();
    let old = world.snapshot("shop");
    world.put(Endpoints, "a-eds", endpoints(9));
    let new = world.snapshot("shop");
    assert_eq!(brief(&new, "a"), "[9]");
    assert!(new.clusters["b"].same(&old.clusters["b"]));
    assert!(Arc::ptr_eq(&new.routes, &old.routes) && Arc::ptr_eq(&new.listener, &old.listener));
    assert_eq!(brief(&world.snapshot("bank"), "a"), "[9]");
}

#[test]
fn an_update_among_a_thousand_clusters_shares_all_other_entries() {
    let names: Vec<String> = (0..1000).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = World::watching(&["shop"]);
    world.listener("shop", "r").routes("r", &names);
    for name in &names {
        world.cluster(name, 1);
    }
    let old = world.snapshot("shop");
    world.put(Endpoints, "c700-eds", endpoints(9));
    let new = world.snapshot("shop");
    let changes = new.clusters.changes_since(&old.clusters);
    let places: Vec<_> = changes.unwrap().map(|(place, _)| place).collect();
    assert_eq!(places, [new.clusters.get_index_of("c700").unwrap()]);
    assert_eq!(brief(&new, "c700"), "[9]");
}

#[test]
fn what_comes_again_and_says_the_same_is_no_news() {
    let mut world = two_targets();
    let (old, told) = (world.snapshot("shop"), world.told.clone());
    world.put(Endpoints, "a-eds", endpoints(1));
    world.put(Cluster, "a", cluster("a", "a-eds"));
    world.put(RouteConfig, "r", routes("r", &["a", "b"]));
    world.listener("shop", "r");
    assert!(Arc::ptr_eq(&old, &world.snapshot("shop")));
    assert_eq!(world.told, told);
}

#[test]
fn a_changed_virtual_host_is_a_new_table_over_the_same_clusters() {
    let mut world = two_targets();
    let old = world.snapshot("shop");
    let mut changed = inline("r", &["a", "b"]);
    changed.config.virtual_hosts[0].domains = vec![DomainPattern::from("only.test")];
    world.put(RouteConfig, "r", Resource::RouteConfig(Arc::new(changed)));
    let (shop, bank) = (world.snapshot("shop"), world.snapshot("bank"));
    assert!(!Arc::ptr_eq(&old.routes, &shop.routes));
    assert!(Arc::ptr_eq(&bank.routes, &shop.routes));
    assert!(
        shop.clusters
            .iter()
            .all(|(name, entry)| entry.same(&old.clusters[name.as_str()]))
    );
    let served = |authority| {
        let (uri, headers) = (Uri::from_static("http://unused/"), HeaderMap::new());
        let mut head = RequestHead::new(&Method::GET, &uri, &headers);
        head.authority = authority;
        shop.routes.select(&head, 0).is_some()
    };
    assert!(served("only.test") && !served("other.test"));
}

#[test]
fn a_service_is_followed_as_long_as_any_cluster_needs_it() {
    let mut world = World::watching(&["shop"]);
    world.listener("shop", "r").routes("r", &["a", "b"]);
    let services = |world: &World| {
        let names = world.subscribed().into_iter();
        let services = names.filter_map(|name| {
            let service = name.strip_prefix("ClusterLoadAssignment ")?;
            Some(service.to_owned())
        });
        services.collect::<Vec<_>>()
    };
    world.put(Cluster, "a", cluster("a", "s"));
    world.put(Cluster, "b", cluster("b", "s"));
    world.put(Endpoints, "s", endpoints(1));
    assert_eq!(services(&world), ["s"]);
    // The old endpoints serve until the new ones are there.
    world.put(Cluster, "a", cluster("a", "t"));
    assert_eq!(services(&world), ["s", "t"]);
    world.put(Endpoints, "t", endpoints(2));
    assert_eq!(services(&world), ["s", "t"]);
    assert_eq!(brief(&world.snapshot("shop"), "a"), "[2]");
    assert_eq!(brief(&world.snapshot("shop"), "b"), "[1]");
    world.put(Cluster, "b", cluster("b", "t"));
    assert_eq!(services(&world), ["t"]);
    world.put(Endpoints, "t", endpoints(3));
    assert_eq!(brief(&world.snapshot("shop"), "b"), "[3]");
}

fn limited(name: &str, limit: u64, routes: RouteSource) -> Resource {
    Resource::Listener(Arc::new(ListenerResource {
        config: ListenerConfig::new(name),
        routes,
        max_stream_duration: Some(Duration::from_secs(limit)),
    }))
}

fn limit_of(snapshot: &Snapshot) -> Option<Duration> {
    let forward = snapshot.routes.routes()[0].forward().unwrap();
    forward.stream.max_stream_duration
}

#[test]
fn the_listeners_default_makes_a_table_of_its_own() {
    let mut world = World::watching(&["shop", "bank", "mill"]);
    let rds = || RouteSource::Rds("r".into());
    world.put(Listener, "shop", limited("shop", 7, rds()));
    world.put(Listener, "bank", limited("bank", 9, rds()));
    world.put(Listener, "mill", limited("mill", 7, rds()));
    world.routes("r", &["a"]).cluster("a", 1);
    let [shop, bank, mill] = ["shop", "bank", "mill"].map(|name| world.snapshot(name));
    assert_eq!(limit_of(&shop), Some(Duration::from_secs(7)));
    assert_eq!(limit_of(&bank), Some(Duration::from_secs(9)));
    assert!(Arc::ptr_eq(&shop.routes, &mill.routes));
    world.put(Listener, "shop", limited("shop", 9, rds()));
    assert!(Arc::ptr_eq(&world.snapshot("shop").routes, &bank.routes));
}

#[test]
fn filters_of_a_listener_change_without_its_inline_routes() {
    let mut world = World::watching(&["shop"]);
    let routes = || RouteSource::Inline(inline("shop", &["a"]));
    world
        .put(Listener, "shop", listener("shop", routes()))
        .cluster("a", 1);
    let old = world.snapshot("shop");
    let mut config = ListenerConfig::new("shop");
    config.filters.push(FilterConfig {
        name: "f".into(),
        kind: FilterKind::Fault(Arc::default()),
        disabled: false,
    });
    let changed = ListenerResource {
        config,
        routes: routes(),
        max_stream_duration: None,
    };
    world.put(Listener, "shop", Resource::Listener(Arc::new(changed)));
    let new = world.snapshot("shop");
    assert_eq!(new.listener.filters.len(), 1);
    assert!(Arc::ptr_eq(&old.routes, &new.routes));
    let other = RouteConfigResource {
        config: inline("shop", &["a", "a"]).config,
    };
    world.put(
        Listener,
        "shop",
        listener("shop", RouteSource::Inline(other)),
    );
    assert!(!Arc::ptr_eq(&old.routes, &world.snapshot("shop").routes));
}
