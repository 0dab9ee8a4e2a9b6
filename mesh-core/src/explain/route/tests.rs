use http::{HeaderMap, HeaderName, Method, Uri};

use super::*;
use crate::config::{
    ClusterChoice, Dialect, FilterOverrides, Forward, Fraction, HeaderMatch, HeaderMatchKind,
    HeaderSource, PathMatch, Pattern, QueryMatch, QueryMatchKind, Route, RouteAction, RouteConfig,
    RouteMatch, StringMatch, StringMatchKind, WeightedCluster, WeightedClusters,
};

fn text(kind: StringMatchKind, ignore_case: bool) -> StringMatch {
    StringMatch { kind, ignore_case }
}

fn header(name: &'static str, kind: HeaderMatchKind, invert: bool) -> HeaderMatch {
    HeaderMatch {
        source: HeaderSource::Header(HeaderName::from_static(name)),
        kind,
        invert,
        missing_as_empty: false,
    }
}

/// A table with one virtual host for `*.test`, whose last route takes everything.
fn table(matches: Vec<RouteMatch>, last: RouteAction) -> RouteTable {
    let mut config = RouteConfig::to_cluster("unused".into(), Dialect::Envoy);
    let host = &mut config.virtual_hosts[0];
    host.name = "shop".into();
    host.domains = vec!["*.test".into()];
    let refuse = RouteAction::Refuse("redirect".into());
    let routes = matches
        .into_iter()
        .map(|matches| ("", matches, refuse.clone()));
    host.routes = routes
        .chain([("last", RouteMatch::prefix("/"), last)])
        .map(|(name, matches, action)| Route {
            name: name.into(),
            matches,
            action,
            filter_overrides: FilterOverrides::default(),
        })
        .map(Arc::new)
        .collect();
    RouteTable::compile(config)
}

fn to(choice: ClusterChoice) -> RouteAction {
    RouteAction::Forward(Arc::new(Forward::to(choice)))
}

fn explained(table: &RouteTable, uri: &str) -> RouteExplanation {
    let uri: Uri = uri.parse().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("x-secret", "hush".parse().unwrap());
    headers.insert("x-to", "c7".parse().unwrap());
    headers.insert("host", "a.test".parse().unwrap());
    route(table, &RequestHead::new(&Method::GET, &uri, &headers), 7)
}

#[test]
fn every_condition_is_told_in_words_and_no_header_value() {
    let regex = || Pattern::new("a|b").unwrap();
    let path = |path| RouteMatch::path(path);
    let with_header = |condition| RouteMatch {
        headers: vec![condition],
        ..RouteMatch::prefix("/")
    };
    let exact = |want: &str| StringMatchKind::Exact(want.into());
    let matches = vec![
        RouteMatch {
            case_sensitive: false,
            ..RouteMatch::prefix("/a")
        },
        path(PathMatch::Exact("/e".into())),
        path(PathMatch::PathSeparatedPrefix("/s".into())),
        path(PathMatch::Regex(regex())),
        with_header(header(
            "x-secret",
            HeaderMatchKind::Text(text(exact("a"), true)),
            false,
        )),
        with_header(header("x-secret", HeaderMatchKind::Present(true), true)),
        with_header(header("x-none", HeaderMatchKind::Range(1..5), true)),
        with_header(header(
            "x-none",
            HeaderMatchKind::Text(text(StringMatchKind::Regex(regex()), false)),
            false,
        )),
        RouteMatch {
            query: vec![QueryMatch {
                name: "q".into(),
                kind: QueryMatchKind::Text(text(StringMatchKind::Prefix("x".into()), false)),
            }],
            ..RouteMatch::prefix("/")
        },
        RouteMatch {
            grpc: true,
            ..RouteMatch::prefix("/")
        },
        RouteMatch {
            fraction: Some(Fraction::new(0, 100)),
            ..RouteMatch::prefix("/")
        },
    ];
    let table = table(matches, to(ClusterChoice::Single("c".into())));
    let expected = r#"authority "a.test": virtual host "shop" serves *.test
route 0: wants the path to begin with "/a" in any case
route 1: wants the path to be "/e"
route 2: wants the path to be "/s" or below it
route 3: wants the path to match "a|b"
route 4: wants header x-secret to be "a" in any case
route 5: wants header x-secret not to be there
route 6: wants header x-none not to be in 1..5
route 7: wants header x-none to match "a|b"
route 8: wants query parameter "q" to begin with "x"
route 9: wants a gRPC request
route 10: wants a share of 0 in 1000000, and the draw is not in it
route 11 "last": taken
cluster "c": the only one"#;
    assert_eq!(explained(&table, "http://a.test/x").to_string(), expected);
}

#[test]
fn every_way_to_a_cluster_is_told() {
    let weighted = WeightedClusters {
        clusters: [("a", 5), ("b", 3)]
            .map(|(name, weight)| WeightedCluster {
                name: name.into(),
                weight,
                filter_overrides: FilterOverrides::default(),
            })
            .into(),
        header_name: None,
    };
    let by_header = |name| to(ClusterChoice::Header(HeaderName::from_static(name)));
    let table_of = |action| table(Vec::new(), action);
    let last = |action| {
        let text = explained(&table_of(action), "http://a.test/").to_string();
        text.lines().last().unwrap().to_owned()
    };
    assert_eq!(
        last(to(ClusterChoice::Weighted(weighted))),
        r#"cluster "b": by weight, 7 of 8"#
    );
    assert_eq!(
        last(by_header("x-to")),
        r#"cluster "c7": named by header x-to"#
    );
    assert_eq!(
        last(by_header("x-no")),
        "no cluster: header x-no names none"
    );
    assert_eq!(
        last(RouteAction::Refuse("redirect is for servers".into())),
        "refused: redirect is for servers"
    );
}

#[test]
fn a_request_without_a_route_is_told_why() {
    let table = table(Vec::new(), RouteAction::Refuse("x".into()));
    let text = explained(&table, "http://a.other/").to_string();
    assert_eq!(text, r#"authority "a.other": no virtual host serves it"#);
    // `*` does not begin with the slash that the only route wants.
    let explanation = explained(&table, "*");
    assert_eq!((explanation.taken(), &explanation.cluster), (None, &None));
    let text = explanation.to_string();
    assert_eq!(text.lines().last(), Some("no route takes the request"));
}

#[test]
fn an_explanation_can_be_written_as_json() {
    let table = table(
        vec![RouteMatch::prefix("/a")],
        to(ClusterChoice::Single("c".into())),
    );
    let json = serde_json::to_value(explained(&table, "http://a.test/")).unwrap();
    let expected = serde_json::json!({
        "authority": "a.test",
        "virtual_host": { "name": "shop", "place": 0, "domain": "*.test" },
        "routes": [
            { "name": "", "place": 0, "failed": "wants the path to begin with \"/a\"" },
            { "name": "last", "place": 1, "failed": null },
        ],
        "draw": 7,
        "cluster": { "by": "only", "cluster": "c" },
        "scope": 0,
    });
    assert_eq!(json, expected);
}
