//! Tables that are probably wrong.

use mesh_proto::envoy::config::{
    core::v3::RuntimeFractionalPercent,
    route::v3::{
        HeaderMatcher, QueryParameterMatcher, Route, RouteAction, RouteConfiguration, RouteMatch,
        VirtualHost, WeightedCluster,
        header_matcher::HeaderMatchSpecifier as Header,
        query_parameter_matcher::QueryParameterMatchSpecifier as Query,
        route::Action,
        route_action::ClusterSpecifier,
        route_match::PathSpecifier,
        weighted_cluster::{ClusterWeight, RandomValueSpecifier},
    },
};
use mesh_proto::envoy::r#type::{
    matcher::v3::{RegexMatcher, StringMatcher, string_matcher::MatchPattern},
    v3::Int64Range,
};
use mesh_testkit::Seeded;

use super::{path::regex, word};

/// Those of which the two languages of expressions think alike.
const REGEXES: &[&str] = &[
    "(",
    "",
    "(?=a)",
    "(a)\\1",
    "[",
    "(?P<n>a)",
    "(?<n>a)",
    "(?i",
    "x{2,1}",
    "\\z",
    "\\Z",
    "(?U)a",
    "[[:alpha:]]",
    "\\_",
    "\\x{41}",
    "\\8",
    "(?P=n)",
    "(?:a",
    ")",
    "*",
    "[z-a]",
    "(?#a)",
    "\\a",
    "\\h",
    "a{b}",
    "{a}",
    "a{,2}",
    "\\Qa.b\\E",
    "\\<a",
    "[a&&b]",
    "[a[b]",
    "((a{100}){100}){100}",
];

const PREFIXES: [&str; 7] = ["/a/", "/", "a", "aa", "/a?b", "/a#", ""];

const NAMES: [&str; 8] = ["", "x a", "x\n", ":path", ":other", "X-A", "host", "x:a"];

/// Of a header that names the cluster.
const CLUSTER_NAMES: [&str; 4] = ["", "x\n", "X-A", "host"];

/// Spoils a table, and says how.
pub(super) fn spoil(random: &mut Seeded, table: &mut RouteConfiguration) -> String {
    if table.virtual_hosts.is_empty() || random.percent(25) {
        return spoil_hosts(random, table);
    }
    let place = random.in_range(0..table.virtual_hosts.len() as u64);
    let host = &mut table.virtual_hosts[place as usize];
    if host.routes.is_empty() {
        let mut route = Route::default();
        let how = spoil_route(random, &mut route);
        host.routes.push(route);
        return format!("{how}, in a route else empty");
    }
    let place = random.in_range(0..host.routes.len() as u64);
    spoil_route(random, &mut host.routes[place as usize])
}

fn spoil_hosts(random: &mut Seeded, table: &mut RouteConfiguration) -> String {
    let taken = table
        .virtual_hosts
        .first()
        .map(|host| host.domains[0].clone());
    let taken = taken.unwrap_or_else(|| "*".to_owned());
    let host = |name: &str, domains: &[&str]| VirtualHost {
        name: name.to_owned(),
        domains: domains.iter().map(ToString::to_string).collect(),
        ..VirtualHost::default()
    };
    let upper = taken.to_ascii_uppercase();
    let (how, added) = match random.in_range(0..8) {
        0 => ("a domain twice", host("more", &[&taken])),
        1 => ("a domain twice, in upper case", host("more", &[&upper])),
        2 => ("a domain twice in a host", host("more", &["q.q", "Q.q"])),
        3 => ("all domains twice", host("more", &["*", "*"])),
        4 => ("no domain", host("more", &[])),
        5 => ("an empty domain", host("more", &[""])),
        6 => ("a host without a name", host("", &["q.q"])),
        _ => ("a name twice", host("host-0", &["q.q"])),
    };
    table.virtual_hosts.push(added);
    how.to_owned()
}

fn spoil_route(random: &mut Seeded, route: &mut Route) -> String {
    match random.in_range(0..10) {
        0 => {
            route.r#match = None;
            "no match".to_owned()
        }
        1 => {
            route.action = None;
            "no action".to_owned()
        }
        2..7 => spoil_match(random, route.r#match.get_or_insert_default()),
        _ => {
            let mut action = RouteAction::default();
            let how = spoil_action(random, &mut action);
            route.action = Some(Action::Route(action));
            how
        }
    }
}

fn spoil_match(random: &mut Seeded, conditions: &mut RouteMatch) -> String {
    match random.in_range(0..8) {
        0 => {
            conditions.path_specifier = None;
            return "no path".to_owned();
        }
        1 => {
            conditions.runtime_fraction = Some(RuntimeFractionalPercent::default());
            return "a fraction without a value".to_owned();
        }
        2 | 3 => {
            let how = match random.percent(50) {
                true => PathSpecifier::SafeRegex(regex(word(random, REGEXES))),
                false => PathSpecifier::PathSeparatedPrefix(word(random, &PREFIXES).to_owned()),
            };
            conditions.path_specifier = Some(how);
        }
        4 => {
            let name = word(random, &["", "k", "k k"]).to_owned();
            let how = random
                .percent(50)
                .then(|| MatchPattern::Prefix(String::new()));
            conditions.query_parameters.push(QueryParameterMatcher {
                name,
                query_parameter_match_specifier: Some(Query::StringMatch(StringMatcher {
                    match_pattern: how,
                    ignore_case: false,
                })),
            });
        }
        _ => conditions.headers.push(spoilt_header(random)),
    }
    format!("{conditions:?}")
}

fn spoilt_header(random: &mut Seeded) -> HeaderMatcher {
    let text = |pattern| {
        Header::StringMatch(StringMatcher {
            match_pattern: pattern,
            ignore_case: false,
        })
    };
    let how = match random.in_range(0..10) {
        0 => Header::PrefixMatch(String::new()),
        1 => Header::SuffixMatch(String::new()),
        2 => Header::ContainsMatch(String::new()),
        3 => Header::SafeRegexMatch(regex(word(random, REGEXES))),
        4 => Header::SafeRegexMatch(RegexMatcher::default()),
        5 => Header::RangeMatch(Int64Range { start: 5, end: 1 }),
        6 => text(None),
        7 => text(Some(MatchPattern::Contains(String::new()))),
        8 => text(Some(MatchPattern::Suffix(String::new()))),
        _ => Header::PresentMatch(true),
    };
    HeaderMatcher {
        name: word(random, &NAMES).to_owned(),
        header_match_specifier: Some(how),
        ..HeaderMatcher::default()
    }
}

fn spoil_action(random: &mut Seeded, action: &mut RouteAction) -> String {
    let (name, cluster) = (word(random, &NAMES), word(random, &CLUSTER_NAMES));
    let entry = |name: &str, weight| ClusterWeight {
        name: name.to_owned(),
        weight,
        ..ClusterWeight::default()
    };
    let weighted = |clusters: &[ClusterWeight], dice: Option<&str>| {
        let dice = dice.map(|name| RandomValueSpecifier::HeaderName(name.to_owned()));
        ClusterSpecifier::WeightedClusters(WeightedCluster {
            clusters: clusters.to_vec(),
            random_value_specifier: dice,
            ..WeightedCluster::default()
        })
    };
    let (one, zero) = (entry("a", Some(1)), entry("a", Some(0)));
    let specifier = match random.in_range(0..9) {
        0 => None,
        1 => Some(ClusterSpecifier::Cluster(String::new())),
        2 => Some(ClusterSpecifier::ClusterHeader(cluster.to_owned())),
        3 => Some(weighted(&[], None)),
        4 => Some(weighted(&[zero.clone(), zero], None)),
        5 => Some(weighted(&[entry("a", None), one], None)),
        6 => Some(weighted(&[entry("", Some(1)), one], None)),
        7 => Some(weighted(&[entry("a", Some(u32::MAX)), one], None)),
        _ => Some(weighted(&[one], Some(name))),
    };
    action.cluster_specifier = specifier;
    if action.cluster_specifier.is_some() && random.percent(10) {
        action.cluster_not_found_response_code = 7;
    }
    format!("{action:?}")
}
