//! Requests that a table takes, or nearly.

use http::Uri;
use mesh_proto::envoy::config::route::v3::{
    Route, RouteConfiguration, RouteMatch, header_matcher::HeaderMatchSpecifier,
};
use mesh_testkit::Seeded;

use super::{
    condition::{self, HEADERS, PARAMETERS},
    domain, path,
    table::{CLUSTER, DICE, EMPTY, MISSING, SERVERS},
    word,
};
use crate::{Ask, Protocol, get};

const METHODS: [&str; 8] = [
    "GET", "GET", "GET", "GET", "POST", "PUT", "OPTIONS", "DELETE",
];
const TYPES: [&str; 7] = [
    "application/grpc",
    "application/grpc",
    "application/grpc+proto",
    "application/grpc-web",
    "application/grpc; x",
    "Application/gRPC",
    "text/plain",
];
/// Numbers that are read as such; with others, dice are thrown.
const DICED: [&str; 6] = ["0", "1", "007", "250", "4294967296", "18446744073709551615"];
const UNREAD: [&str; 6] = ["", "a", "-1", "1.5", "18446744073709551616", "0x1"];

/// A request for a route of the table, or for none of it.
pub(super) fn ask(random: &mut Seeded, table: &RouteConfiguration) -> Ask {
    let host = (!table.virtual_hosts.is_empty()).then(|| random.pick(&table.virtual_hosts).clone());
    let domain = host.as_ref().map(|host| random.pick(&host.domains).clone());
    let domain = domain.filter(|_| random.percent(96));
    let domain = domain.unwrap_or_else(|| domain::name(random));
    let routes = host.map(|host| host.routes).unwrap_or_default();
    let wanted = (!routes.is_empty()).then(|| random.pick(&routes).clone());
    let conditions = conditions(wanted.as_ref());
    let path = path::near(random, conditions.path_specifier.as_ref());
    let mut ask = get(&(path + &query(random, &conditions)));
    ask.authority = domain::authority(random, &domain);
    method(random, &conditions, &mut ask);
    headers(random, &conditions, &mut ask);
    protocol(random, &mut ask);
    ask
}

fn conditions(route: Option<&Route>) -> RouteMatch {
    let conditions = route.and_then(|route| route.r#match.clone());
    conditions.unwrap_or_default()
}

fn query(random: &mut Seeded, conditions: &RouteMatch) -> String {
    let mut parts = Vec::new();
    for parameter in &conditions.query_parameters {
        if random.percent(85) {
            let value = condition::for_parameter(random, parameter);
            parts.push(pair(&parameter.name, value));
        }
    }
    if random.percent(25) {
        let name = word(random, &PARAMETERS);
        let value = random.percent(80).then(|| condition::value(random));
        parts.push(pair(name, value));
    }
    if random.percent(8) {
        let odd = [
            "", "=a", "k=a=b", "k?j=a", "&", "k=%61", "%6B=a", "k=/a", "k;j=a",
        ];
        parts.push(word(random, &odd).to_owned());
    }
    random.shuffle(&mut parts);
    match parts.is_empty() {
        true if random.percent(95) => String::new(),
        _ => format!("?{}", parts.join("&")),
    }
}

fn pair(name: &str, value: Option<String>) -> String {
    let value = value.map(|value| format!("={}", value.replace(' ', "+")));
    format!("{name}{}", value.unwrap_or_default())
}

fn method(random: &mut Seeded, conditions: &RouteMatch, ask: &mut Ask) {
    ask.method = word(random, &METHODS).to_owned();
    if matches!(ask.method.as_str(), "POST" | "PUT") {
        ask.body = Some(b"body".to_vec());
    }
    if random.percent(if conditions.grpc.is_some() { 80 } else { 4 }) {
        let kind = word(random, &TYPES);
        *ask = ask.clone().header("content-type", kind);
        if random.percent(10) {
            *ask = ask.clone().header("content-type", word(random, &TYPES));
        }
    }
}

fn headers(random: &mut Seeded, conditions: &RouteMatch, ask: &mut Ask) {
    let mut lines = Vec::new();
    for matcher in &conditions.headers {
        let name = matcher.name.to_ascii_lowercase();
        // Inverted, it is met by what is different, or is nearly.
        let other = matcher.invert_match && random.percent(60);
        let value = match other {
            true => Some(condition::value(random)),
            false => condition::for_header(random, matcher),
        };
        let Some(value) = value else { continue };
        match name.as_str() {
            _ if random.percent(8) => {}
            ":method" if is_method(&value) => ask.method = value,
            _ if HEADERS.contains(&name.as_str()) => lines.push((name, value)),
            _ => {}
        }
        // Ranges nobody meets by chance.
        let range = matches!(
            matcher.header_match_specifier,
            Some(HeaderMatchSpecifier::RangeMatch(_))
        );
        if range && HEADERS.contains(&matcher.name.as_str()) && random.percent(20) {
            let again = condition::for_header(random, matcher).unwrap_or_default();
            lines.push((matcher.name.clone(), again));
        }
    }
    for _ in 0..*random.pick(&[0, 0, 1, 2]) {
        let name = word(random, &HEADERS).to_owned();
        lines.push((name, condition::value(random)));
    }
    random.shuffle(&mut lines);
    ask.headers.append(&mut lines);
    choices(random, ask);
}

/// What the routes to several clusters, and to a cluster that is named, read.
fn choices(random: &mut Seeded, ask: &mut Ask) {
    let mut add = |name: &str, value: &str| ask.headers.push((name.to_owned(), value.to_owned()));
    match random.in_range(0..100) {
        0..60 => add(DICE, &random.in_range(0..12).to_string()),
        60..94 => add(DICE, word(random, &DICED)),
        94..97 => add(DICE, word(random, &UNREAD)),
        97..99 => {
            add(DICE, "1");
            add(DICE, "2");
        }
        _ => {}
    }
    let names = [SERVERS[0], SERVERS[1], SERVERS[2], EMPTY, MISSING, "A", ""];
    for _ in 0..*random.pick(&[0, 1, 1, 1, 1, 2]) {
        add(CLUSTER, word(random, &names));
    }
}

/// Envoy takes no others over HTTP/1.1.
fn is_method(text: &str) -> bool {
    METHODS.contains(&text)
}

/// What HTTP/2 takes is sent by either protocol.
fn protocol(random: &mut Seeded, ask: &mut Ask) {
    let written = format!("http://{}{}", ask.authority, ask.path);
    let same = |uri: &Uri| {
        let path = uri.path_and_query().map(ToString::to_string);
        path.is_some_and(|path| path == ask.path)
    };
    let sendable = written.parse().is_ok_and(|uri| same(&uri));
    ask.protocols = match sendable && random.percent(50) {
        true => vec![Protocol::Http2],
        false => vec![Protocol::Http1],
    };
}

/// Whether dice are thrown for it by a route to several clusters.
pub(super) fn is_diced(ask: &Ask) -> bool {
    let mut numbers = ask.headers.iter().filter(|(name, _)| name == DICE);
    let (first, second) = (numbers.next(), numbers.next());
    first.is_none_or(|(_, value)| value.parse::<u64>().is_err()) || second.is_some()
}
