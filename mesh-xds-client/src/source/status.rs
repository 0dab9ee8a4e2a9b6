//! What operators and tests may ask of a client (the content of gRFC A40's status reports).

use std::{sync::Arc, time::Instant};

use crate::{driver::Client, protocol::Counters, resource::ResourceType, store::Status};

/// What a client knows at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct XdsStatus {
    /// The control plane that is asked.
    pub server: Arc<str>,
    /// Whether a stream to it is open.
    pub connected: bool,
    /// Why it cannot be reached, if it cannot.
    pub connection_error: Option<Arc<str>>,
    /// What was counted since the start.
    pub counters: Counters,
    /// Every resource subscribed to, by type and then by name.
    pub resources: Vec<ResourceStatus>,
}

/// What is known of one resource.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResourceStatus {
    /// Its type.
    pub kind: ResourceType,
    /// Its name.
    pub name: Arc<str>,
    /// The version in use; empty without one.
    pub version: Arc<str>,
    /// Its state.
    pub status: Status,
    /// What stands against it, with our node's id.
    pub last_error: Option<Arc<str>>,
    /// When the version in use came.
    pub updated: Option<Instant>,
}

impl XdsStatus {
    pub(super) fn of(client: &Client) -> Self {
        let ads = client.ads();
        let resources = ads.resources().map(|(kind, name, entry)| ResourceStatus {
            kind,
            name: Arc::clone(name),
            version: Arc::clone(entry.version()),
            status: entry.status(),
            last_error: entry.error().map(|error| Arc::clone(&error.details)),
            updated: entry.updated(),
        });
        Self {
            server: Arc::clone(client.server_uri()),
            connected: ads.is_connected(),
            connection_error: ads
                .connection_error()
                .map(|error| Arc::clone(&error.details)),
            counters: ads.counters(),
            resources: resources.collect(),
        }
    }

    /// What is known of one resource, if it is subscribed to.
    #[must_use]
    pub fn resource(&self, kind: ResourceType, name: &str) -> Option<&ResourceStatus> {
        let mut resources = self.resources.iter();
        resources.find(|resource| resource.kind == kind && &*resource.name == name)
    }
}
