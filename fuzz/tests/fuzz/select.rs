//! Route selection: whatever configuration was accepted, the table takes the route that the rules
//! say, and the explanation agrees.

use std::{panic::AssertUnwindSafe, sync::Arc};

use http::{
    HeaderMap, HeaderValue, Method, Uri,
    uri::{self, Scheme},
};
use mesh_core::{
    config::{Dialect, DomainPattern, PathMatch, RouteConfig},
    explain,
    policy::{
        head::RequestHead,
        route::{ClusterRef, RouteTable},
    },
};
use mesh_xds_client::resource::{Resource, ResourceType, RouteSource};

use self::reference::Request;
use crate::{decode::good, draw::Draw, engine::run};

#[path = "../../../mesh-core/src/policy/route/tests/reference.rs"]
mod reference;

const METHODS: [&str; 3] = ["POST", "GET", "a"];
const HEADERS: &[&str] = &[
    "x-user",
    "content-type",
    "grpc-timeout",
    "host",
    "a",
    "b",
    "user-bin",
    "greeter",
    "default",
    "x-canary",
    "1",
];

#[test]
fn table() {
    run("select::table", 2_000, |input| {
        let mut draw = Draw::new(input);
        let dialect = *draw.pick(&[Dialect::Grpc, Dialect::Envoy]);
        let kind = *draw.pick(&[ResourceType::RouteConfig, ResourceType::Listener]);
        if let Some(config) = good(&mut draw, kind, dialect).and_then(routes) {
            let table = AssertUnwindSafe(RouteTable::compile(config.clone()));
            for _ in 0..4 {
                any_request(&mut draw, &config, |head, draw| {
                    check(&table, &config, head, draw);
                });
            }
        }
    });
}

/// The routes of a resource, as they are under its listener.
pub(crate) fn routes(resource: Resource) -> Option<RouteConfig> {
    match resource {
        Resource::RouteConfig(routes) => Some(routes.with_listener_defaults(None)),
        Resource::Listener(listener) => match &listener.routes {
            RouteSource::Inline(routes) => {
                Some(routes.with_listener_defaults(listener.max_stream_duration))
            }
            RouteSource::Rds(_) => None,
        },
        _ => None,
    }
}

/// A request that the configuration could be about.
fn request(draw: &mut Draw<'_>, config: &RouteConfig) -> Request {
    let authority = authority(draw, config);
    let path = path(draw, config);
    let query = draw.one_in(3).then(|| draw.word().replace(['?', '#'], ""));
    let count = draw.below(4);
    let headers = (0..count).map(|_| {
        let name = *draw.pick(HEADERS);
        let mut value = draw.word().into_bytes();
        value.retain(|byte| *byte >= b' ' && *byte != 0x7f);
        (name, value)
    });
    let headers = headers.collect();
    Request {
        method: METHODS[draw.below(METHODS.len())],
        query: query.filter(|_| !path.is_empty()),
        authority,
        path,
        headers,
        draw: draw.u64(),
    }
}

/// An authority in ASCII, as HTTP has it.
fn authority(draw: &mut Draw<'_>, config: &RouteConfig) -> String {
    let domains: Vec<_> = config
        .virtual_hosts
        .iter()
        .flat_map(|host| &host.domains)
        .collect();
    let text = match draw.one_in(4) || domains.is_empty() {
        true => draw.word(),
        false => match *draw.pick(&domains) {
            DomainPattern::Exact(text) => text.to_string(),
            DomainPattern::Suffix(text) => format!("{}{text}", draw.word()),
            DomainPattern::Prefix(text) => format!("{text}{}", draw.word()),
            DomainPattern::Any => draw.word(),
        },
    };
    let text = if draw.one_in(4) { text + ":80" } else { text };
    text.replace(|c: char| !c.is_ascii_graphic(), "")
}

fn path(draw: &mut Draw<'_>, config: &RouteConfig) -> String {
    let routes = config.virtual_hosts.iter().flat_map(|host| &host.routes);
    let matches: Vec<_> = routes.map(|route| &route.matches.path).collect();
    let text = match draw.one_in(4) || matches.is_empty() {
        true => draw.word(),
        false => match *draw.pick(&matches) {
            PathMatch::Exact(text) => text.to_string(),
            PathMatch::Prefix(text) | PathMatch::PathSeparatedPrefix(text) => {
                format!("{text}{}", draw.word())
            }
            PathMatch::Regex(_) => draw.word(),
        },
    };
    let text = text.replace(['?', '#'], "");
    let text = text.replace(|c: char| c.is_control() || c == ' ', "");
    // A path is empty, a star, or begins with a slash.
    match &*text {
        "" | "*" => text,
        _ if text.starts_with('/') => text,
        _ => format!("/{text}"),
    }
}

/// Asks with a request that the configuration could be about, as the mesh sees it, and its random
/// number. `None` if HTTP has no such request.
pub(crate) fn any_request<T>(
    draw: &mut Draw<'_>,
    config: &RouteConfig,
    ask: impl FnOnce(&RequestHead<'_>, u64) -> T,
) -> Option<T> {
    let request = request(draw, config);
    let path_and_query = request.path_and_query();
    let mut uri = uri::Parts::default();
    if !path_and_query.is_empty() {
        uri.path_and_query = Some(path_and_query.parse().ok()?);
    }
    if !request.authority.is_empty() {
        uri.authority = Some(request.authority.parse().ok()?);
        uri.scheme = uri.path_and_query.is_some().then_some(Scheme::HTTP);
    }
    let uri = Uri::from_parts(uri).ok()?;
    let method = Method::from_bytes(request.method.as_bytes()).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        headers.append(*name, HeaderValue::from_bytes(value).unwrap());
    }
    let head = RequestHead::new(&method, &uri, &headers);
    Some(ask(&head, request.draw))
}

/// The head in the reference's terms.
fn in_parts(head: &RequestHead<'_>, draw: u64) -> Request {
    let method = METHODS.into_iter().find(|it| *it == head.method.as_str());
    let headers = head.headers.iter().map(|(name, value)| {
        let name = HEADERS.iter().find(|it| **it == name.as_str());
        (*name.unwrap(), value.as_bytes().to_vec())
    });
    Request {
        method: method.unwrap(),
        authority: head.authority.to_owned(),
        path: head.path().to_owned(),
        query: head.query().map(str::to_owned),
        headers: headers.collect(),
        draw,
    }
}

fn check(table: &RouteTable, config: &RouteConfig, head: &RequestHead<'_>, draw: u64) {
    let request = in_parts(head, draw);
    let selected = table.select(head, draw);
    let expected = reference::select(config, &request);
    let told = selected.map(|selection| {
        let place = |route| Arc::ptr_eq(selection.route, route);
        let cluster = selection.cluster.map(|cluster| match cluster {
            ClusterRef::Index(place) => table.clusters()[place].to_string(),
            ClusterRef::ByName(name) => name.to_owned(),
        });
        let layers = table.scopes()[selection.scope].layers.clone();
        (table.routes().iter().position(place), cluster, layers)
    });
    let wanted = expected.map(|taken| {
        let before = &config.virtual_hosts[..taken.host];
        let before: usize = before.iter().map(|host| host.routes.len()).sum();
        (Some(before + taken.route), taken.cluster, taken.layers)
    });
    assert_eq!(told, wanted, "{request:?} by {config:?}");
    let explanation = explain::route(table, head, draw);
    assert_eq!(explanation.cluster.is_some(), told.is_some());
    let _ = explanation.to_string();
}
