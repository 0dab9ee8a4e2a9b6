//! What a control plane has published, with versions.

use std::collections::{BTreeMap, BTreeSet};

use mesh_proto::Any;
use mesh_proto::envoy::service::discovery::v3::{ResourceError, ResourceName};
use mesh_proto::google::rpc::Status;

use super::resource::{CDS, EDS, LDS, RDS, Resource};

/// All resources, by type URL.
#[derive(Clone, Debug, Default)]
pub(super) struct Published {
    types: BTreeMap<String, TypeState>,
}

/// The resources of one type.
#[derive(Clone, Debug, Default)]
pub(super) struct TypeState {
    /// Grows with each change; 0 before the first.
    pub(super) version: u64,
    pub(super) entries: BTreeMap<String, Entry>,
    /// Names that are gone, and the version in which they went.
    removed: BTreeMap<String, u64>,
}

/// What is known of one name.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The version of the type in which this last changed.
    pub(super) version: u64,
    pub(super) content: Content,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Message(Any),
    Error { code: i32, message: String },
}

impl Published {
    /// The resources of a type; `None` while nothing of it was ever published.
    pub(super) fn get(&self, type_url: &str) -> Option<&TypeState> {
        self.types.get(type_url)
    }

    pub(super) fn version(&self, type_url: &str) -> u64 {
        self.get(type_url).map_or(0, |state| state.version)
    }

    /// The version in which something last changed that a stream with these names was told of.
    pub(super) fn relevant(&self, type_url: &str, subscribed: &BTreeSet<String>) -> Option<u64> {
        let state = self.get(type_url)?;
        let wanted = |name: &String| subscribed.contains("*") || subscribed.contains(name);
        let entries = state.entries.iter().filter(|(name, _)| wanted(name));
        let removed = state.removed.iter().filter(|(name, _)| wanted(name));
        let removed = removed.filter(|_| full_state(type_url));
        let entries = entries.map(|(_, entry)| entry.version);
        entries.chain(removed.map(|(_, version)| *version)).max()
    }

    /// Publishes resources: one new version for each type among them.
    pub(super) fn set(&mut self, resources: Vec<Resource>) {
        let mut by_type = BTreeMap::<_, Vec<_>>::new();
        for resource in resources {
            by_type
                .entry(resource.type_url)
                .or_default()
                .push((resource.name, Content::Message(resource.message)));
        }
        for (type_url, entries) in by_type {
            let state = self.next_version(&type_url);
            for (name, content) in entries {
                let version = state.version;
                state.entries.insert(name, Entry { version, content });
            }
        }
    }

    pub(super) fn set_error(&mut self, type_url: &str, name: &str, code: i32, message: &str) {
        let state = self.next_version(type_url);
        let (version, message) = (state.version, message.to_owned());
        let content = Content::Error { code, message };
        state
            .entries
            .insert(name.to_owned(), Entry { version, content });
    }

    pub(super) fn remove(&mut self, type_url: &str, name: &str) {
        let state = self.next_version(type_url);
        state.entries.remove(name);
        state.removed.insert(name.to_owned(), state.version);
    }

    pub(super) fn clear(&mut self) {
        for state in self.types.values_mut() {
            state.version += 1;
            for (name, _) in std::mem::take(&mut state.entries) {
                state.removed.insert(name, state.version);
            }
        }
    }

    fn next_version(&mut self, type_url: &str) -> &mut TypeState {
        let state = self.types.entry(type_url.to_owned()).or_default();
        state.version += 1;
        state
    }
}

impl Content {
    pub(super) fn error(&self, name: &str) -> Option<ResourceError> {
        let Self::Error { code, message } = self else {
            return None;
        };
        Some(ResourceError {
            resource_name: Some(ResourceName {
                name: name.to_owned(),
                ..ResourceName::default()
            }),
            error_detail: Some(Status {
                code: *code,
                message: message.clone(),
                ..Status::default()
            }),
        })
    }
}

/// The place of a type in an update: what is referred to goes before what refers to it, so that a
/// client never routes to a cluster it does not have yet.
pub(super) fn order(type_url: &str) -> (usize, &str) {
    let place = [CDS, EDS, LDS, RDS].iter().position(|of| *of == type_url);
    (place.unwrap_or(4), type_url)
}

/// Whether a response of the state of the world holds all resources of this type: then what is
/// absent is gone. Of other types it may hold any part.
pub(super) fn full_state(type_url: &str) -> bool {
    type_url == LDS || type_url == CDS
}
