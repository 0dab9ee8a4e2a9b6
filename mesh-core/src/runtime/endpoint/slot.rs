//! A mesh's own view of an endpoint: the shared state, the configuration of the moment and the slot
//! for its connections.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use super::EndpointState;
use crate::config::{EndpointConfig, Locality};

/// An endpoint of one mesh. `C` holds the mesh's connections to it.
pub struct Endpoint<C> {
    state: Arc<EndpointState>,
    config: EndpointConfig,
    locality: Arc<Locality>,
    // Made for few endpoints, and much larger than a pointer.
    slot: Arc<OnceLock<Box<C>>>,
}

impl<C> Endpoint<C> {
    pub(crate) fn new(
        state: Arc<EndpointState>,
        config: EndpointConfig,
        locality: Arc<Locality>,
    ) -> Self {
        Self {
            state,
            config,
            locality,
            slot: Arc::default(),
        }
    }

    /// The same endpoint as configured now, with the same state and slot.
    pub(crate) fn with_config(&self, config: EndpointConfig, locality: Arc<Locality>) -> Self {
        Self {
            state: Arc::clone(&self.state),
            config,
            locality,
            slot: Arc::clone(&self.slot),
        }
    }

    /// The state that the process shares.
    #[must_use]
    pub fn state(&self) -> &Arc<EndpointState> {
        &self.state
    }

    /// What the configuration says of it.
    #[must_use]
    pub fn config(&self) -> &EndpointConfig {
        &self.config
    }

    /// Its place.
    #[must_use]
    pub fn locality(&self) -> &Locality {
        &self.locality
    }

    /// Its place, as the endpoints of one cluster share it.
    pub(crate) const fn place(&self) -> &Arc<Locality> {
        &self.locality
    }

    /// The mesh's connections to it; made on first use, and the same across updates as long as the
    /// endpoint stays and its cluster keeps its identity.
    pub fn slot(&self, make: impl FnOnce() -> C) -> &C {
        self.slot.get_or_init(|| Box::new(make()))
    }
}

impl<C> fmt::Debug for Endpoint<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("state", &self.state)
            .field("config", &self.config)
            .field("locality", &self.locality)
            .finish_non_exhaustive()
    }
}
