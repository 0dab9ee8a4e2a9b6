//! Fifty clusters of one endpoint.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let at = case.server("a");
    let names: Vec<_> = (0..50)
        .map(|number| case.cluster(&format!("c{number}"), &[at]))
        .collect();
    let shares: Vec<_> = names.iter().map(|name| (name.as_str(), 2)).collect();
    case.routes([split(&shares).dice_in("x-dice")]);
    case.dice(&["0", "49", "99", "100"]);
}
