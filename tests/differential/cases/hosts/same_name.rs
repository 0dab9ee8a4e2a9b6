//! Two hosts may have the same name.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.backend("a"), case.backend("b"));
    case.host(&["a.test"], [to(&a)]);
    case.host(&["b.test"], [to(&b)]);
    case.edit_routes(|routes| {
        routes.edit(|it| it.virtual_hosts[1].name = it.virtual_hosts[0].name.clone())
    });
    case.at(&["a.test", "b.test"]);
}
