//! Making what differs smaller.

use mesh_proto::envoy::config::route::v3::{
    Route, RouteConfiguration, RouteMatch,
    route::Action,
    route_action::{ClusterNotFoundResponseCode, ClusterSpecifier},
};

use crate::Ask;

/// No more attempts than these.
const PATIENCE: usize = 600;

/// A table, and a request to it.
pub(super) type Question = (RouteConfiguration, Ask);

/// Leaves out of the table and the request what can be left out, as long as `differs` gives something;
/// what it gave last. `None` if it gives nothing to begin with.
pub(super) async fn smallest<T>(
    mut found: Question,
    differs: impl AsyncFn(&Question) -> Option<T>,
) -> Option<(Question, T)> {
    let mut difference = differs(&found).await?;
    let mut left = PATIENCE;
    'again: loop {
        for smaller in smaller(&found) {
            if left == 0 {
                break 'again;
            }
            left -= 1;
            if let Some(again) = differs(&smaller).await {
                (found, difference) = (smaller, again);
                continue 'again;
            }
        }
        break;
    }
    Some((found, difference))
}

/// All that is smaller by one thing, what leaves out much first.
fn smaller((table, ask): &Question) -> Vec<Question> {
    let mut all = Vec::new();
    for table in tables(table) {
        all.push((table, ask.clone()));
    }
    for ask in asks(ask) {
        all.push((table.clone(), ask));
    }
    all
}

fn tables(table: &RouteConfiguration) -> Vec<RouteConfiguration> {
    let mut all = Vec::new();
    let hosts = &table.virtual_hosts;
    for host in 0..hosts.len() {
        all.push(edit(table, |it| drop(it.virtual_hosts.remove(host))));
    }
    for (host, of) in hosts.iter().enumerate() {
        let (half, count) = (of.routes.len() / 2, of.routes.len());
        if count > 3 {
            all.push(edit(table, |it| {
                it.virtual_hosts[host].routes.truncate(half);
            }));
            all.push(edit(table, |it| {
                drop(it.virtual_hosts[host].routes.drain(..half));
            }));
        }
    }
    for (host, of) in hosts.iter().enumerate() {
        for route in 0..of.routes.len() {
            all.push(edit(table, |it| {
                drop(it.virtual_hosts[host].routes.remove(route));
            }));
        }
        for domain in 0..of.domains.len() {
            all.push(edit(table, |it| {
                drop(it.virtual_hosts[host].domains.remove(domain));
            }));
        }
    }
    for (host, of) in hosts.iter().enumerate() {
        for (route, of) in of.routes.iter().enumerate() {
            for smaller in routes(of) {
                all.push(edit(table, |it| {
                    it.virtual_hosts[host].routes[route] = smaller;
                }));
            }
        }
    }
    all.push(edit(table, |it| it.ignore_port_in_host_matching = false));
    all.retain(|smaller| smaller != table);
    all
}

fn routes(route: &Route) -> Vec<Route> {
    let mut all = Vec::new();
    let conditions = route.r#match.clone().unwrap_or_default();
    let mut with = |change: &dyn Fn(&mut RouteMatch)| {
        all.push(edit(route, |it| change(it.r#match.get_or_insert_default())));
    };
    for header in 0..conditions.headers.len() {
        with(&|it| drop(it.headers.remove(header)));
        with(&|it| it.headers[header].invert_match = false);
        with(&|it| it.headers[header].treat_missing_header_as_empty = false);
    }
    for parameter in 0..conditions.query_parameters.len() {
        with(&|it| drop(it.query_parameters.remove(parameter)));
    }
    with(&|it| it.grpc = None);
    with(&|it| it.runtime_fraction = None);
    with(&|it| it.case_sensitive = None);
    let simple = ClusterSpecifier::Cluster("a".to_owned());
    all.push(edit(route, |it| {
        if let Some(Action::Route(action)) = &mut it.action {
            action.cluster_specifier = Some(simple);
        }
    }));
    all.push(edit(route, |it| {
        if let Some(Action::Route(action)) = &mut it.action {
            let usual = ClusterNotFoundResponseCode::ServiceUnavailable;
            action.set_cluster_not_found_response_code(usual);
        }
    }));
    all.retain(|smaller| smaller != route);
    all
}

fn asks(ask: &Ask) -> Vec<Ask> {
    let mut all = Vec::new();
    for header in 0..ask.headers.len() {
        all.push(edit(ask, |it| drop(it.headers.remove(header))));
    }
    if ask.body.is_some() {
        all.push(edit(ask, |it| it.body = None));
    }
    if ask.method != "GET" {
        all.push(edit(ask, |it| it.method = "GET".to_owned()));
    }
    if let Some((path, query)) = ask.path.split_once('?') {
        all.push(edit(ask, |it| it.path = path.to_owned()));
        let parts: Vec<_> = query.split('&').collect();
        for left in 0..parts.len() {
            let mut rest = parts.clone();
            rest.remove(left);
            if !rest.is_empty() {
                all.push(edit(ask, |it| {
                    it.path = format!("{path}?{}", rest.join("&"));
                }));
            }
        }
    }
    all
}

fn edit<T: Clone>(of: &T, change: impl FnOnce(&mut T)) -> T {
    let mut edited = of.clone();
    change(&mut edited);
    edited
}
