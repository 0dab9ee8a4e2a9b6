//! How often the bounds of the process were hit.

use mesh_core::bounds::Bound;
use metrics::Counter;

use crate::{handle, table};

/// One counter for each, resolved at the first publication, when a recorder is there.
#[derive(Debug, Default)]
pub(super) struct Bounds(Vec<(Bound, Counter)>);

impl Bounds {
    pub(super) fn publish(&mut self) {
        if self.0.is_empty() {
            let counter = |bound: &Bound| handle::counter(&table::BOUND_EXCEEDED, &[bound.name()]);
            self.0 = Bound::ALL.iter().map(|it| (*it, counter(it))).collect();
        }
        for (bound, counter) in &self.0 {
            counter.absolute(bound.times());
        }
    }
}
