//! The table agrees with the rules on random configurations and requests.

use std::{collections::BTreeMap, sync::LazyLock};

use http::HeaderName;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

use super::{
    super::*,
    reference::{self, Request, Taken},
};
use crate::{
    config::{
        ClusterChoice, Dialect, DomainPattern, FilterOverride, FilterOverrides, Forward, Fraction,
        HeaderMatch, HeaderMatchKind, HeaderSource, MatchRules, PathMatch, Pattern, QueryMatch,
        QueryMatchKind, RouteMatch, StringMatch, StringMatchKind, VirtualHost, WeightedCluster,
        WeightedClusters,
    },
    explain,
};

// Small alphabets that overlap, so that matches, near misses and ties are frequent.
const TEXTS: &[&str] = &["", "a", "b", "ab", "aB", "1", "-2", "a,b", "é"];
const NAMES: &[&str] = &["x", "y", "content-type", "xb", "z"];
/// Compiled once: that takes longer than all the rest.
static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let sources = ["a|b", "a.*", "(?i)AB", "/a(/.*)?", "", "[^,]*", ".*b"];
    sources.map(|source| Pattern::new(source).unwrap()).into()
});

fn text() -> impl Strategy<Value = Arc<str>> {
    select(TEXTS).prop_map(Arc::from)
}

fn pattern() -> impl Strategy<Value = Pattern> {
    select(PATTERNS.as_slice())
}

fn path_text() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![
        8 => "/[abA]?(/[ab]?)?(/[ab])?",
        1 => Just(String::new()),
        1 => Just("*".to_owned()),
        1 => Just("/é".to_owned()),
        // Each begins with all that are shorter.
        1 => (0_usize..24).prop_map(|depth| format!("/{}", "a".repeat(depth))),
    ]
    .prop_map(Arc::from)
}

fn path_match() -> impl Strategy<Value = PathMatch> {
    prop_oneof![
        4 => path_text().prop_map(PathMatch::Prefix),
        4 => path_text().prop_map(PathMatch::Exact),
        3 => path_text().prop_map(PathMatch::PathSeparatedPrefix),
        1 => pattern().prop_map(PathMatch::Regex),
    ]
}

fn string_match() -> impl Strategy<Value = StringMatch> {
    let kind = prop_oneof![
        text().prop_map(StringMatchKind::Exact),
        text().prop_map(StringMatchKind::Prefix),
        text().prop_map(StringMatchKind::Suffix),
        text().prop_map(StringMatchKind::Contains),
        pattern().prop_map(StringMatchKind::Regex),
    ];
    (kind, any::<bool>()).prop_map(|(kind, ignore_case)| StringMatch { kind, ignore_case })
}

fn header_match() -> impl Strategy<Value = HeaderMatch> {
    let source = prop_oneof![
        6 => select(NAMES).prop_map(|name| HeaderSource::Header(HeaderName::from_static(name))),
        1 => select(vec![
            HeaderSource::Method,
            HeaderSource::Scheme,
            HeaderSource::Authority,
            HeaderSource::Path,
            HeaderSource::Hidden("x".into()),
        ]),
    ];
    let kind = prop_oneof![
        any::<bool>().prop_map(HeaderMatchKind::Present),
        string_match().prop_map(HeaderMatchKind::Text),
        (-3_i64..2, 0_i64..4).prop_map(|(start, len)| HeaderMatchKind::Range(start..start + len)),
    ];
    (source, kind, any::<bool>(), any::<bool>()).prop_map(
        |(source, kind, invert, missing_as_empty)| HeaderMatch {
            source,
            kind,
            invert,
            missing_as_empty,
        },
    )
}

fn query_match() -> impl Strategy<Value = QueryMatch> {
    let kind = prop_oneof![
        any::<bool>().prop_map(QueryMatchKind::Present),
        string_match().prop_map(QueryMatchKind::Text),
    ];
    (select(vec!["p", "q"]), kind).prop_map(|(name, kind)| QueryMatch {
        name: name.into(),
        kind,
    })
}

fn route_match() -> impl Strategy<Value = RouteMatch> {
    (
        path_match(),
        any::<bool>(),
        prop_oneof![3 => Just(vec![]), 2 => vec(header_match(), 1..3)],
        prop_oneof![3 => Just(vec![]), 1 => vec(query_match(), 1..3)],
        prop::bool::weighted(0.1),
        option::weighted(0.2, (0_u32..=4).prop_map(|part| Fraction::new(part, 4))),
    )
        .prop_map(
            |(path, case_sensitive, headers, query, grpc, fraction)| RouteMatch {
                path,
                case_sensitive,
                headers,
                query,
                grpc,
                fraction,
            },
        )
}

fn overrides() -> impl Strategy<Value = FilterOverrides> {
    let names = vec(select(vec!["f", "g"]), 0..3);
    let kinds = select(vec![FilterOverride::Disable, FilterOverride::Enable]);
    option::weighted(0.3, (names, kinds)).prop_map(|overrides| {
        FilterOverrides(overrides.map(|(names, kind)| {
            let entries = names.into_iter().map(|name| (name.into(), kind.clone()));
            Arc::new(entries.collect::<BTreeMap<_, _>>())
        }))
    })
}

fn action() -> impl Strategy<Value = RouteAction> {
    let cluster = || select(vec!["c1", "c2", "c3"]);
    let header = || HeaderName::from_static("y");
    let weighted = (vec((cluster(), 0_u32..4, overrides()), 1..4), any::<bool>()).prop_map(
        move |(entries, by_header)| {
            let mut clusters: Vec<_> = entries
                .into_iter()
                .map(|(name, weight, filter_overrides)| WeightedCluster {
                    name: name.into(),
                    weight,
                    filter_overrides,
                })
                .collect();
            // Decoding refuses a sum of nothing.
            clusters[0].weight += 1;
            ClusterChoice::Weighted(WeightedClusters {
                clusters,
                header_name: by_header.then(header),
            })
        },
    );
    let choice = prop_oneof![
        3 => cluster().prop_map(|name| ClusterChoice::Single(name.into())),
        2 => weighted,
        1 => Just(ClusterChoice::Header(header())),
    ];
    prop_oneof![
        9 => choice.prop_map(|choice| RouteAction::Forward(Arc::new(Forward::to(choice)))),
        1 => Just(RouteAction::Refuse("redirect".into())),
    ]
}

fn route() -> impl Strategy<Value = Route> {
    (route_match(), action(), overrides()).prop_map(|(matches, action, filter_overrides)| Route {
        name: "r".into(),
        matches,
        action,
        filter_overrides,
    })
}

fn virtual_host() -> impl Strategy<Value = VirtualHost> {
    let domain = select(vec![
        "*", "a", "a.b", "A.b", "x.a.b", "a:1", "*.b", "*b", "*a.b", "a.*", "a*", "x.*", "a.*.b",
        "",
    ]);
    // Below and above the number of routes from which there is an index.
    let routes = prop_oneof![
        10 => vec(route(), 0..6),
        10 => vec(route(), 9..18),
        1 => vec(route(), 30..40)
    ];
    // How many routes in a row ask what the first of them asks.
    let run = prop_oneof![2 => Just(1), 1 => 2_usize..6];
    (vec(domain, 2..5), routes, run, overrides()).prop_map(
        |(domains, mut routes, run, filter_overrides)| {
            for run in routes.chunks_mut(run) {
                let asks = run[0].matches.clone();
                for route in run {
                    route.matches.headers.clone_from(&asks.headers);
                    route.matches.fraction = asks.fraction;
                }
            }
            VirtualHost {
                name: "v".into(),
                domains: domains.into_iter().map(DomainPattern::from).collect(),
                routes: routes.into_iter().map(Arc::new).collect(),
                retry: None,
                filter_overrides,
            }
        },
    )
}

fn config() -> impl Strategy<Value = RouteConfig> {
    let hosts = vec(virtual_host(), 2..5);
    let dialect = select(vec![Dialect::Grpc, Dialect::Envoy]);
    (hosts, any::<bool>(), dialect).prop_map(|(virtual_hosts, ignore_port, dialect)| RouteConfig {
        name: "".into(),
        virtual_hosts,
        ignore_port,
        rules: MatchRules::of(dialect),
    })
}

fn request() -> impl Strategy<Value = Request> {
    let value = prop_oneof![
        8 => select(TEXTS).prop_map(|text| text.as_bytes().to_vec()),
        1 => Just(b"application/grpc+x".to_vec()),
        1 => Just(b"a\xff".to_vec()),
    ];
    (
        select(vec!["GET", "a"]),
        select(vec![
            "a", "A.B", "a.b", "x.a.b", "a:1", "a.b:2", "b", ".b", "", "x.y", "a.*.b",
        ]),
        prop_oneof![3 => path_text().prop_map(|path| path.to_string()), 1 => "/[abA/]{0,5}"],
        option::of(prop_oneof!["([pq]=?[ab1]?&?){0,3}", Just("p=é".to_owned())]),
        vec((select(NAMES), value), 0..5),
        any::<u64>(),
    )
        .prop_map(|(method, authority, path, query, headers, draw)| Request {
            method,
            authority: authority.to_owned(),
            // A request without a path has no query either.
            query: query.filter(|_| !path.is_empty()),
            path,
            headers,
            draw,
        })
}

/// What the table says, in the reference's terms; checks that the explanation agrees.
fn ask(table: &RouteTable, request: &Request) -> Option<Taken> {
    let method = http::Method::from_bytes(request.method.as_bytes()).unwrap();
    let path_and_query = request.path_and_query();
    let mut headers = http::HeaderMap::new();
    for (name, value) in &request.headers {
        headers.append(*name, http::HeaderValue::from_bytes(value).unwrap());
    }
    let head = RequestHead {
        method: &method,
        scheme: Some("http"),
        authority: &request.authority,
        path_and_query: &path_and_query,
        path: &request.path,
        headers: &headers,
    };
    let taken = table.select(&head, request.draw).map(|selection| {
        let place = |route| Arc::ptr_eq(selection.route, route);
        let place = table.routes.iter().position(place).unwrap();
        let holds = |host: &Host| host.routes().contains(&place);
        let host = table.hosts.iter().position(holds).unwrap();
        Taken {
            host,
            route: place - table.hosts[host].routes().start,
            cluster: selection.cluster.map(|cluster| match cluster {
                ClusterRef::Index(place) => table.clusters()[place].to_string(),
                ClusterRef::ByName(name) => name.to_owned(),
            }),
            layers: table.scopes()[selection.scope].layers.clone(),
        }
    });
    assert_explained(&explain::route(table, &head, request.draw), table, &taken);
    taken
}

fn assert_explained(
    explanation: &explain::RouteExplanation,
    table: &RouteTable,
    taken: &Option<Taken>,
) {
    use explain::ClusterReason::{Header, Only, Refused, Weight};
    assert_eq!(explanation.taken(), taken.as_ref().map(|taken| taken.route));
    assert_eq!(explanation.cluster.is_some(), taken.is_some());
    let Some(taken) = taken else { return };
    let host = explanation.virtual_host.as_ref().map(|host| host.place);
    assert_eq!(host, Some(taken.host));
    assert_eq!(table.scopes()[explanation.scope].layers, taken.layers);
    let cluster = match explanation.cluster.as_ref().unwrap() {
        Only { cluster } | Weight { cluster, .. } | Header { cluster, .. } => Some(cluster.clone()),
        Refused { .. } => None,
    };
    assert_eq!(cluster, taken.cluster);
}

proptest! {
    #![proptest_config(Config::with_cases(2_000))]

    #[test]
    fn the_table_agrees_with_the_rules(config in config(), requests in vec(request(), 16)) {
        let table = RouteTable::compile(config.clone());
        for request in &requests {
            prop_assert_eq!(ask(&table, request), reference::select(&config, request), "{:?}", request);
        }
    }
}

#[test]
fn the_random_tables_take_many_requests_by_many_routes() {
    let mut runner = TestRunner::deterministic();
    let (mut taken, mut late) = (0, 0);
    for _ in 0..1_000 {
        let config = config().new_tree(&mut runner).unwrap().current();
        let request = request().new_tree(&mut runner).unwrap().current();
        if let Some(found) = ask(&RouteTable::compile(config), &request) {
            taken += 1;
            late += usize::from(found.route > 3);
        }
    }
    assert!(
        (300..900).contains(&taken),
        "{taken} of 1000 requests taken"
    );
    assert!(late > 100, "{late} by a late route");
}
