//! What a client of a control plane counts (gRFC A78).

use std::{collections::HashMap, sync::Arc};

use mesh_core::observe::{ControlPlane, ControlPlaneNumbers, ResourceNumbers};
use metrics::Gauge;

use crate::{handle, table};

/// One client serves all targets of the program, so that it has none for `grpc.target`.
const ALL_TARGETS: &str = "#mesh";
/// The authority of resources with names of the old style (gRFC A78).
const OLD_NAMES: &str = "#old";

/// A client and what was published of it.
#[derive(Debug)]
pub(super) struct Plane {
    client: Arc<dyn ControlPlane>,
    last: ControlPlaneNumbers,
    connected: Option<Gauge>,
    // States that had resources are published until they have none.
    resources: HashMap<(&'static str, &'static str), Gauge>,
}

impl Plane {
    pub(super) fn new(client: Arc<dyn ControlPlane>) -> Self {
        Self {
            client,
            last: ControlPlaneNumbers::default(),
            connected: None,
            resources: HashMap::new(),
        }
    }

    /// Whether the client is still there. What is gone is published as nothing a last time.
    pub(super) fn publish(&mut self) -> bool {
        let Some(numbers) = self.client.numbers() else {
            self.leave();
            self.resources.values().for_each(|gauge| gauge.set(0.0));
            return false;
        };
        if numbers.server != self.last.server {
            self.leave();
        }
        let names = [ALL_TARGETS, &numbers.server];
        let connected = self
            .connected
            .get_or_insert_with(|| handle::gauge(&table::XDS_CONNECTED, &names));
        connected.set(if numbers.connected { 1.0 } else { 0.0 });
        let failures = numbers.failures.saturating_sub(self.last.failures);
        handle::counter(&table::XDS_FAILURES, &names).increment(failures);
        for of in &numbers.resources {
            self.count(&numbers.server, of);
        }
        self.last = numbers;
        true
    }

    /// The server is not asked any more.
    fn leave(&mut self) {
        if let Some(connected) = self.connected.take() {
            connected.set(0.0);
        }
    }

    fn count(&mut self, server: &str, of: &ResourceNumbers) {
        let last = self.last.resources.iter().find(|it| it.kind == of.kind);
        let (valid, invalid) = last.map_or((0, 0), |last| (last.valid, last.invalid));
        let names = [ALL_TARGETS, server, of.kind];
        let new = of.valid.saturating_sub(valid);
        handle::counter(&table::XDS_VALID, &names).increment(new);
        let new = of.invalid.saturating_sub(invalid);
        handle::counter(&table::XDS_INVALID, &names).increment(new);
        for &(state, count) in &of.states {
            let names = [ALL_TARGETS, OLD_NAMES, state, of.kind];
            let gauge = self.resources.entry((of.kind, state));
            let gauge = gauge.or_insert_with(|| handle::gauge(&table::XDS_RESOURCES, &names));
            gauge.set(count as f64);
        }
    }
}
