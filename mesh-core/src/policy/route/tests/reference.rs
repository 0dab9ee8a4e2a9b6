//! Routing straight from the rules, with strings and loops: what the table must agree with.

use crate::{
    config::{
        ClusterChoice, DomainPattern, FilterOverrides, HeaderLines, HeaderMatch, HeaderMatchKind,
        HeaderSource, PathMatch, QueryMatch, QueryMatchKind, RouteAction, RouteConfig, RouteMatch,
        StringMatch, StringMatchKind, VirtualHost,
    },
    entropy::mix,
};

/// A request in parts.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: Vec<(&'static str, Vec<u8>)>,
    pub(super) draw: u64,
}

impl Request {
    pub(super) fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

/// Where a request goes.
#[derive(Debug, PartialEq)]
pub(super) struct Taken {
    pub(super) host: usize,
    pub(super) route: usize,
    /// `None`: refused.
    pub(super) cluster: Option<String>,
    pub(super) layers: Vec<FilterOverrides>,
}

pub(super) fn select(config: &RouteConfig, request: &Request) -> Option<Taken> {
    let host = best_host(config, &request.authority)?;
    let before: usize = config.virtual_hosts[..host]
        .iter()
        .map(|host| host.routes.len())
        .sum();
    let virtual_host = &config.virtual_hosts[host];
    for (place, route) in virtual_host.routes.iter().enumerate() {
        if takes(config, &route.matches, request, before + place) {
            return Some(send(config, virtual_host, host, place, request));
        }
    }
    None
}

/// Ranks every domain that fits: its kind, then its length, then the order of the configuration.
fn best_host(config: &RouteConfig, authority: &str) -> Option<usize> {
    let mut name = authority.to_lowercase();
    if config.ignore_port
        && let Some(colon) = name.rfind(':')
        && !name[colon..].contains(']')
    {
        name.truncate(colon);
    }
    let mut best: Option<((u8, usize), usize)> = None;
    for (place, host) in config.virtual_hosts.iter().enumerate() {
        for domain in &host.domains {
            let rank = match domain {
                DomainPattern::Exact(text) if *name == **text => (3, 0),
                DomainPattern::Suffix(text)
                    if name.ends_with(&**text) && name.len() > text.len() =>
                {
                    (2, text.len())
                }
                DomainPattern::Prefix(text)
                    if name.starts_with(&**text) && name.len() > text.len() =>
                {
                    (1, text.len())
                }
                DomainPattern::Any => (0, 0),
                _ => continue,
            };
            if best.is_none_or(|(other, _)| rank > other) {
                best = Some((rank, place));
            }
        }
    }
    best.map(|(_, place)| place)
}

fn takes(config: &RouteConfig, route: &RouteMatch, request: &Request, ordinal: usize) -> bool {
    let rules = config.rules;
    let fold = |text: &str| {
        if route.case_sensitive {
            text.to_owned()
        } else {
            text.to_ascii_lowercase()
        }
    };
    let path = fold(&request.path);
    let path_holds = match &route.path {
        PathMatch::Prefix(want) => path.starts_with(&fold(want)),
        PathMatch::Exact(want) => path == fold(want),
        PathMatch::PathSeparatedPrefix(want) => {
            path == fold(want) || path.starts_with(&(fold(want) + "/"))
        }
        PathMatch::Regex(want) => want.is_match(&request.path),
    };
    let grpc_holds = !route.grpc || rules.grpc_content_type || {
        let content_type = request
            .headers
            .iter()
            .find(|(name, _)| *name == "content-type");
        content_type.is_some_and(|(_, value)| {
            value == b"application/grpc" || value.starts_with(b"application/grpc+")
        })
    };
    let share_holds = route.fraction.is_none_or(|share| {
        let draw = if rules.draw_per_route {
            mix(request.draw ^ mix(ordinal as u64))
        } else {
            request.draw
        };
        draw % 1_000_000 < u64::from(share.millionths())
    });
    !request.path.is_empty()
        && path_holds
        && grpc_holds
        && route
            .headers
            .iter()
            .all(|wants| header(config, wants, request))
        && route.query.iter().all(|wants| query(wants, request))
        && share_holds
}

fn header(config: &RouteConfig, wants: &HeaderMatch, request: &Request) -> bool {
    let mut lines: Vec<Vec<u8>> = match &wants.source {
        HeaderSource::Method => vec![request.method.into()],
        HeaderSource::Scheme => vec!["http".into()],
        HeaderSource::Authority => vec![request.authority.clone().into()],
        HeaderSource::Path => vec![request.path_and_query().into()],
        HeaderSource::Hidden(_) => vec![],
        HeaderSource::Header(name) => {
            let lines = request.headers.iter().filter(|(other, _)| *name == *other);
            lines.map(|(_, value)| value.clone()).collect()
        }
    };
    match &wants.source {
        HeaderSource::Header(name) if name == "content-type" && config.rules.grpc_content_type => {
            lines = vec!["application/grpc".into()];
        }
        HeaderSource::Header(_) => {}
        _ => lines.retain(|line| !line.is_empty()),
    }
    if lines.is_empty() && wants.missing_as_empty {
        lines.push(Vec::new());
    }
    if let HeaderMatchKind::Present(wanted) = &wants.kind {
        return (lines.is_empty() != *wanted) != wants.invert;
    }
    if lines.is_empty() {
        return false;
    }
    if config.rules.lines == HeaderLines::Joined {
        lines = vec![lines.join(&b',')];
    }
    let holds = lines.iter().any(|line| match &wants.kind {
        HeaderMatchKind::Text(text) => string(text, line),
        HeaderMatchKind::Range(range) => {
            let number = String::from_utf8(line.clone()).ok();
            let number = number.and_then(|text| text.trim().parse::<i64>().ok());
            number.is_some_and(|number| range.start <= number && number < range.end)
        }
        HeaderMatchKind::Present(_) => unreachable!(),
    });
    holds != wants.invert
}

fn query(wants: &QueryMatch, request: &Request) -> bool {
    let mut value = None;
    for part in request.query.iter().flat_map(|query| query.split('&')) {
        let (name, text) = match part.find('=') {
            Some(at) => (&part[..at], &part[at + 1..]),
            None => (part, ""),
        };
        if name == &*wants.name && value.is_none() {
            value = Some(text);
        }
    }
    match &wants.kind {
        QueryMatchKind::Present(wanted) => value.is_some() == *wanted,
        QueryMatchKind::Text(text) => value.is_some_and(|value| string(text, value.as_bytes())),
    }
}

fn string(wants: &StringMatch, text: &[u8]) -> bool {
    if let StringMatchKind::Regex(want) = &wants.kind {
        return want.is_match(text);
    }
    let fold = |text: &[u8]| {
        if wants.ignore_case {
            text.to_ascii_lowercase()
        } else {
            text.to_vec()
        }
    };
    let text = fold(text);
    match &wants.kind {
        StringMatchKind::Exact(want) => text == fold(want.as_bytes()),
        StringMatchKind::Prefix(want) => text.starts_with(&fold(want.as_bytes())),
        StringMatchKind::Suffix(want) => text.ends_with(&fold(want.as_bytes())),
        StringMatchKind::Contains(want) => {
            let want = fold(want.as_bytes());
            (0..=text.len()).any(|at| text[at..].starts_with(&want))
        }
        StringMatchKind::Regex(_) => unreachable!(),
    }
}

fn send(
    config: &RouteConfig,
    virtual_host: &VirtualHost,
    host: usize,
    place: usize,
    request: &Request,
) -> Taken {
    let route = &virtual_host.routes[place];
    let mut layers = vec![&route.filter_overrides, &virtual_host.filter_overrides];
    let values = |wanted: &http::HeaderName| -> Vec<String> {
        let lines = request.headers.iter().filter(|(name, _)| *wanted == *name);
        lines
            .map(|(_, value)| String::from_utf8(value.clone()).unwrap_or_default())
            .collect()
    };
    let cluster = match &route.action {
        RouteAction::Refuse(_) => None,
        RouteAction::Forward(forward) => Some(match &forward.cluster {
            ClusterChoice::Single(name) => name.to_string(),
            ClusterChoice::Header(name) => values(name).into_iter().next().unwrap_or_default(),
            ClusterChoice::Weighted(weighted) => {
                let mut draw = if config.rules.draw_per_route {
                    mix(request.draw ^ 0x7765_6967_6874_6564)
                } else {
                    request.draw
                };
                if let Some(name) = &weighted.header_name
                    && let [value] = &values(name)[..]
                    && let Ok(number) = value.trim().parse()
                {
                    draw = number;
                }
                let total: u64 = weighted
                    .clusters
                    .iter()
                    .map(|it| u64::from(it.weight))
                    .sum();
                let mut lot = draw % total;
                let mut entries = weighted.clusters.iter();
                let entry = entries.find(|entry| {
                    let taken = lot < u64::from(entry.weight);
                    lot = lot.saturating_sub(u64::from(entry.weight));
                    taken
                });
                let entry = entry.unwrap();
                layers.insert(0, &entry.filter_overrides);
                entry.name.to_string()
            }
        }),
    };
    Taken {
        host,
        route: place,
        cluster,
        layers: layers
            .into_iter()
            .filter(|layer| layer.0.as_ref().is_some_and(|layer| !layer.is_empty()))
            .cloned()
            .collect(),
    }
}
