mod property;
mod reference;

use http::{HeaderMap, Method, Uri};

use super::*;
use crate::config::{
    BackoffConfig, ClusterChoice, Dialect, DomainPattern, FilterOverrides, PathMatch,
    RetryConditions, RetryPolicy, RouteMatch, VirtualHost,
};

/// A route to the cluster of its name.
fn route(name: &str, matches: RouteMatch) -> Route {
    Route {
        name: name.into(),
        matches,
        action: RouteAction::Forward(Arc::new(Forward::to(ClusterChoice::Single(name.into())))),
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
        routes: routes.into_iter().map(Arc::new).collect(),
        retry: None,
        filter_overrides: FilterOverrides::default(),
    }
}

fn table(virtual_hosts: Vec<VirtualHost>) -> RouteTable {
    RouteTable::compile(RouteConfig {
        virtual_hosts,
        ..RouteConfig::to_cluster("unused".into(), Dialect::Envoy)
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

/// Routes that no request of these tests takes, so many that there is an index.
fn others() -> impl Iterator<Item = Route> {
    (0..20).map(|i| route("other", RouteMatch::prefix(format!("/other{i}"))))
}

#[test]
fn a_prefix_may_be_empty_and_a_path_may_be_a_star_or_missing() {
    let headers = HeaderMap::new();
    for few in [true, false] {
        let ask = |last: RouteMatch, method: &Method, uri: &str| {
            let routes = others().filter(|_| !few).chain([route("last", last)]);
            let table = table(vec![host(&["*"], routes.collect())]);
            let uri: Uri = uri.parse().unwrap();
            table
                .select(&RequestHead::new(method, &uri, &headers), 0)
                .is_some()
        };
        let star = RouteMatch::path(PathMatch::Exact("*".into()));
        assert!(ask(RouteMatch::prefix(""), &Method::GET, "http://h"));
        assert!(ask(RouteMatch::prefix(""), &Method::GET, "http://h?q=1"));
        assert!(ask(RouteMatch::prefix("/"), &Method::GET, "http://h?q=1"));
        assert!(ask(RouteMatch::prefix("/"), &Method::GET, "/#x"));
        assert!(ask(RouteMatch::prefix(""), &Method::OPTIONS, "*"));
        assert!(!ask(RouteMatch::prefix("/"), &Method::OPTIONS, "*"));
        assert!(ask(star, &Method::OPTIONS, "*"));
        // Only a connect matcher takes a request without a path.
        assert!(!ask(RouteMatch::prefix(""), &Method::CONNECT, "h:80"));
        let empty = RouteMatch::path(PathMatch::Exact("".into()));
        assert!(!ask(empty, &Method::CONNECT, "h:80"));
    }
}

#[test]
fn a_long_path_is_matched_to_its_last_byte() {
    let long = format!("/{}", "a/".repeat(20_000));
    let exact = RouteMatch::path(PathMatch::Exact(long.clone().into()));
    let routes = others().chain([route("exact", exact)]);
    let table = table(vec![host(&["*"], routes.collect())]);
    assert_eq!(taken(&table, &long).as_deref(), Some("exact"));
    assert_eq!(taken(&table, &long[..long.len() - 1]), None);
    assert_eq!(taken(&table, &format!("{long}a")), None);
}

#[test]
fn each_of_ten_thousand_routes_is_found() {
    let routes = (0..10_000).map(|i| {
        let path = format!("/pkg.Service{:03}/Method{:02}", i / 100, i % 100);
        let path = match i % 3 {
            0 => PathMatch::Exact(path.into()),
            1 => PathMatch::PathSeparatedPrefix(path.into()),
            _ => PathMatch::Prefix(path.into()),
        };
        route(&format!("r{i}"), RouteMatch::path(path))
    });
    let table = table(vec![host(&["*"], routes.collect())]);
    assert_eq!(table.clusters().len(), 10_000);
    for i in 0..10_000 {
        let path = format!("/pkg.Service{:03}/Method{:02}", i / 100, i % 100);
        assert_eq!(taken(&table, &path), Some(format!("r{i}")));
        let longer = taken(&table, &format!("{path}x"));
        assert_eq!(longer.is_some(), i % 3 == 2, "{path}x takes {longer:?}");
    }
}

#[test]
fn prefixes_may_nest_deeper_than_lists_are_merged() {
    let deep = |depth: usize| RouteMatch::prefix(format!("/{}", "a".repeat(depth)));
    // The shortest comes last: every path has all shorter prefixes as candidates.
    let routes = (0..100)
        .rev()
        .map(|depth| route(&format!("r{depth}"), deep(depth)));
    let table = table(vec![host(&["*"], routes.collect())]);
    for depth in 0..100 {
        let path = format!("/{}", "a".repeat(depth));
        assert_eq!(taken(&table, &path), Some(format!("r{depth}")));
    }
}

#[test]
fn clusters_are_listed_once_and_the_hosts_retry_policy_fills_gaps() {
    let policy = |retries| {
        Some(Arc::new(RetryPolicy {
            on: RetryConditions::default(),
            status_codes: Vec::new(),
            num_retries: retries,
            per_try_timeout: None,
            backoff: BackoffConfig::default(),
        }))
    };
    let mut own = route("a", RouteMatch::prefix("/own"));
    if let RouteAction::Forward(forward) = &mut own.action {
        let forward = Arc::make_mut(forward);
        forward.retry = policy(7);
    }
    let routes = vec![own, route("a", RouteMatch::prefix("/"))];
    let table = table(vec![VirtualHost {
        retry: policy(3),
        ..host(&["*"], routes)
    }]);
    assert_eq!(table.clusters(), ["a".into()]);
    let retries = |place: usize| {
        let forward = table.routes()[place].forward().unwrap();
        forward.retry.as_ref().map(|retry| retry.num_retries)
    };
    assert_eq!((retries(0), retries(1)), (Some(7), Some(3)));
}

#[test]
fn a_table_is_printed_in_a_line() {
    let table = table(vec![host(&["*"], others().collect())]);
    let expected = r#"RouteTable { name: "", virtual_hosts: 1, routes: 20, clusters: 1, .. }"#;
    assert_eq!(format!("{table:?}"), expected);
}

#[test]
fn a_route_takes_little_room() {
    // Of both there are as many as routes, which may be ten thousands.
    assert!(
        size_of::<CompiledRoute>() <= 104,
        "{}",
        size_of::<CompiledRoute>()
    );
    assert!(size_of::<Route>() <= 128, "{}", size_of::<Route>());
}
