//! What routes have in common is there once: a table can have ten thousands of them.

use std::time::Duration;

use mesh_core::policy::route::RouteTable;

use super::*;

/// The actions of the routes of a table.
fn actions(table: &RouteTable) -> Vec<Arc<Forward>> {
    let action = |route: &Route| match &route.action {
        RouteAction::Forward(forward) => Arc::clone(forward),
        RouteAction::Refuse(reason) => panic!("{reason}"),
    };
    table.routes().iter().map(|it| action(&it.route)).collect()
}

fn shared(message: &RouteConfiguration, default: Option<Duration>) -> [bool; 3] {
    let Resource::RouteConfig(decoded) = accept(Dialect::Envoy, message).resource else {
        panic!("not routes");
    };
    let table = RouteTable::compile(decoded.with_listener_defaults(default));
    let actions = actions(&table);
    let same = |one: usize, other: usize| Arc::ptr_eq(&actions[one], &actions[other]);
    let routes = table
        .routes()
        .iter()
        .zip(&decoded.config.virtual_hosts[0].routes);
    let kept = routes.filter(|(compiled, route)| Arc::ptr_eq(&compiled.route, route));
    assert_eq!((same(0, 1), same(2, 3)), (false, false));
    [same(0, 2), same(1, 4), kept.count() == 5]
}

#[test]
fn routes_that_do_the_same_share_it_and_a_table_shares_what_was_decoded() {
    let slow = |cluster| pb::RouteAction {
        timeout: Some(Span {
            seconds: 60,
            nanos: 0,
        }),
        ..forward(cluster)
    };
    // Between those that are the same are others, to other clusters; and one that differs from both
    // before it by its timeout alone.
    let actions = [
        forward("a"),
        forward("b"),
        forward("a"),
        slow("a"),
        forward("b"),
    ];
    let mut message = routes(actions.map(to).into());
    assert_eq!(shared(&message, None), [true, true, true]);
    // Defaults of the listener and of the host make other routes, whose actions are shared as well.
    let second = Some(Duration::from_secs(1));
    assert_eq!(shared(&message, second), [true, true, false]);
    message.virtual_hosts[0].retry_policy = Some(pb::RetryPolicy {
        retry_on: "5xx".to_owned(),
        ..Default::default()
    });
    assert_eq!(shared(&message, None), [true, true, false]);
    assert_eq!(shared(&message, second), [true, true, false]);
}
