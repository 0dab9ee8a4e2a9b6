//! What is counted of the client, for observers (gRFC A78).

use std::sync::{Arc, Weak};

use mesh_core::observe::{ControlPlane, ControlPlaneNumbers, ResourceNumbers};

use super::shared::Shared;
use crate::{driver::Client, resource::ResourceType, store::Status};

/// A look at the client that does not keep it.
#[derive(Debug)]
pub(super) struct Numbers(pub(super) Weak<Shared>);

impl ControlPlane for Numbers {
    fn numbers(&self) -> Option<ControlPlaneNumbers> {
        let shared = self.0.upgrade()?;
        Some(shared.with_client(|client| numbers(client)))
    }
}

fn numbers(client: &Client) -> ControlPlaneNumbers {
    let ads = client.ads();
    let counters = ads.counters();
    // From the first stream on, until one fails without a message.
    let begun = ads.is_connected() || counters.responses > 0;
    let mut resources = ResourceType::ALL.map(|kind| ResourceNumbers {
        kind: kind.type_url().rsplit('/').next().unwrap_or_default(),
        valid: counters.valid[kind as usize],
        invalid: counters.invalid[kind as usize],
        states: STATES.map(|state| (state, 0)).to_vec(),
    });
    for (kind, _, entry) in ads.resources() {
        let state = cache_state(entry.status(), entry.value().is_some());
        let mut states = resources[kind as usize].states.iter_mut();
        if let Some((_, count)) = states.find(|(name, _)| *name == state) {
            *count += 1;
        }
    }
    ControlPlaneNumbers {
        server: Arc::clone(client.server_uri()),
        connected: begun && ads.connection_error().is_none(),
        failures: counters.outages,
        resources: resources.into(),
    }
}

/// gRFC A78's `grpc.xds.cache_state`, with what gRFC A88 adds.
const STATES: [&str; 9] = [
    "requested",
    "does_not_exist",
    "does_not_exist_but_cached",
    "acked",
    "nacked",
    "nacked_but_cached",
    "received_error",
    "received_error_but_cached",
    "timeout",
];

const fn cache_state(status: Status, cached: bool) -> &'static str {
    match (status, cached) {
        (Status::Requested, _) => "requested",
        (Status::DoesNotExist, false) => "does_not_exist",
        (Status::DoesNotExist, true) => "does_not_exist_but_cached",
        (Status::Acked, _) => "acked",
        (Status::Nacked, false) => "nacked",
        (Status::Nacked, true) => "nacked_but_cached",
        (Status::ReceivedError, false) => "received_error",
        (Status::ReceivedError, true) => "received_error_but_cached",
        (Status::Timeout, _) => "timeout",
    }
}
