//! As many as come.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server("a");
    let full = case.cluster_with("full", |full| xds::endpoints(full, &[a]), |cluster| cluster);
    case.routes([to(&full)]);
    case.ask(
        get("/")
            .script("a", vec![Behaviour::delay(ms(250)); 12])
            .at_once(12),
    );
}
