//! The faults of one of several clusters.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let (a, b) = (case.backend("a"), case.backend("b"));
    case.edit_listener(|listener| listener.fault(fault()));
    let faults = Any::pack(&fault().abort_http(503, 100.0).build());
    case.routes([split(&[(&a, 1), (&b, 1)])
        .dice_in("x-dice")
        .edit_action(|action| {
            let Some(ClusterSpecifier::WeightedClusters(clusters)) = &mut action.cluster_specifier
            else {
                return;
            };
            let overrides = &mut clusters.clusters[1].typed_per_filter_config;
            overrides.insert("fault".to_owned(), faults);
        })]);
    case.dice(&["0", "1"]);
}
