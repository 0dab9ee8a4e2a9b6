//! A host's own faults, and those of a route below it.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.backend("a");
    case.edit_listener(|listener| listener.fault(fault()));
    case.host(
        &["faulty.test"],
        [to(&a).prefix("/none").fault(fault()), to(&a)],
    );
    case.host(&["*"], [to(&a)]);
    case.edit_routes(|routes| {
        routes.edit(|routes| {
            let faults = Any::pack(&fault().abort_http(503, 100.0).build());
            let overrides = &mut routes.virtual_hosts[0].typed_per_filter_config;
            overrides.insert("fault".to_owned(), faults);
        })
    });
    case.at(&["faulty.test", "other.test"]);
    case.ask(get("/none").at("faulty.test"));
}
