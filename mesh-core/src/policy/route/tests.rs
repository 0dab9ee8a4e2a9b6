use http::{HeaderMap, HeaderValue, Method, Uri};

use super::*;
use crate::config::{
    ClusterChoice, DomainPattern, FilterOverrides, PathMatch, RouteMatch, VirtualHost,
};

/// A route to the cluster of its name.
fn route(name: &str, matches: RouteMatch) -> Route {
    Route {
        name: name.into(),
        matches,
        action: RouteAction::Forward(Box::new(Forward::to(ClusterChoice::Single(name.into())))),
        filter_overrides: FilterOverrides::default(),
    }
}

fn host(domains: &[&str], routes: Vec<Route>) -> VirtualHost {
    VirtualHost {
        name: domains[0].into(),
        domains: domains
            .iter()
            .map(|domain| DomainPattern::from(*domain))
            .collect(),
        routes,
        retry: None,
        filter_overrides: FilterOverrides::default(),
    }
}

fn table(virtual_hosts: Vec<VirtualHost>) -> RouteTable {
    RouteTable::compile(RouteConfig {
        virtual_hosts,
        ..RouteConfig::to_cluster("unused".into())
    })
}

/// The route that a request for `uri` takes.
fn taken(table: &RouteTable, uri: &str) -> Option<String> {
    let uri: Uri = uri.parse().unwrap();
    let headers = HeaderMap::new();
    let head = RequestHead::new(&Method::GET, &uri, &headers);
    Some(table.select(&head, 0)?.route.route.name.to_string())
}

#[test]
fn the_first_route_in_the_list_wins() {
    let mut routes = vec![
        route("long", RouteMatch::prefix("/a/b")),
        route("short", RouteMatch::prefix("/a")),
        route("never", RouteMatch::path(PathMatch::Exact("/a/x".into()))),
    ];
    routes.extend((0..20).map(|i| route("other", RouteMatch::prefix(format!("/o{i}")))));
    let table = table(vec![host(&["*"], routes)]);
    assert_eq!(taken(&table, "http://h/a/b/c").as_deref(), Some("long"));
    assert_eq!(taken(&table, "http://h/a/x").as_deref(), Some("short"));
    assert_eq!(taken(&table, "http://h/b"), None);
}

#[test]
fn a_host_without_a_fitting_route_does_not_fall_through() {
    let all = route("all", RouteMatch::prefix(""));
    let table = table(vec![
        host(&["*"], vec![all]),
        host(&["a.test"], vec![route("a", RouteMatch::prefix("/a"))]),
    ]);
    assert_eq!(taken(&table, "http://a.test/a").as_deref(), Some("a"));
    assert_eq!(taken(&table, "http://a.test/b"), None);
    assert_eq!(taken(&table, "http://b.test/b").as_deref(), Some("all"));
}

#[test]
fn headers_of_a_request_stay_unread_without_conditions() {
    let mut headers = HeaderMap::new();
    headers.insert("x", HeaderValue::from_bytes(b"\xff").unwrap());
    let uri = Uri::from_static("http://h/");
    let table = RouteTable::compile(RouteConfig::to_cluster("c".into()));
    let head = RequestHead::new(&Method::GET, &uri, &headers);
    let selection = table.select(&head, 0).unwrap();
    assert_eq!(
        (selection.cluster, selection.scope),
        (Some(ClusterRef::Index(0)), 0)
    );
}
