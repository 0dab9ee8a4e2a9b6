//! What is wanted: a set of names per kind. Who wants a name, and how often, is the graph's matter.

use std::sync::Arc;

use mesh_core::bounds::Bound;

use super::{AdsState, Decode, Limits, canonical};
use crate::resource::ResourceType;

/// Why a name cannot be subscribed to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubscribeError {
    /// It is empty, which would ask for everything.
    #[error("the name of a resource is empty")]
    EmptyName,
    /// It is longer than [`Limits::text`](super::Limits::text).
    #[error("the name of a resource has {length} bytes, at most {limit} are allowed")]
    LongName {
        /// Its length in bytes.
        length: usize,
        /// The bound.
        limit: usize,
    },
    /// There are [`Limits::names`](super::Limits::names) of its kind.
    #[error("{limit} resources of type {type_url} are subscribed to, the most that is allowed")]
    TooMany {
        /// The kind.
        type_url: &'static str,
        /// The bound.
        limit: usize,
    },
}

impl<D: Decode> AdsState<D> {
    /// Wants a resource from now on. It is a set: a second time changes nothing.
    ///
    /// # Errors
    /// The name is empty or too long, or there are too many: nothing is asked for.
    pub fn subscribe(&mut self, kind: ResourceType, name: &str) -> Result<(), SubscribeError> {
        let name: Arc<str> = canonical(name).into();
        self.check_name(kind, &name)?;
        let wire = &mut self.wires[kind as usize];
        if wire.removed.remove(&name) {
            // Still known to the server and to us: nothing to send, but there may be news.
            if let Some(entry) = self.store.of_mut(kind).get_mut(&name) {
                entry.set_lingering(false);
                if entry.is_known() {
                    self.changed.insert((kind, name));
                }
            }
        } else if self.store.insert(kind, &name) && wire.started {
            wire.added.insert(name);
        }
        Ok(())
    }

    /// Wants a resource no more. Nothing of it is kept past the turn.
    pub fn unsubscribe(&mut self, kind: ResourceType, name: &str) {
        let name: Arc<str> = canonical(name).into();
        let Some(entry) = self.store.of_mut(kind).get_mut(&name) else {
            return;
        };
        entry.set_lingering(true);
        self.changed.remove(&(kind, name.clone()));
        let wire = &mut self.wires[kind as usize];
        if wire.added.remove(&name) {
            self.store.of_mut(kind).remove(&name);
        } else {
            wire.removed.insert(name);
        }
    }

    /// Counts that a bound was hit, here and for the process.
    pub(super) fn exceeded(&mut self, bound: Bound) {
        self.counters.over_limit += 1;
        bound.exceeded();
    }

    fn check_name(&mut self, kind: ResourceType, name: &str) -> Result<(), SubscribeError> {
        let Limits { names, text, .. } = self.config.limits;
        if name.is_empty() {
            return Err(SubscribeError::EmptyName);
        }
        if name.len() > text {
            self.exceeded(Bound::AdsText);
            let length = name.len();
            return Err(SubscribeError::LongName {
                length,
                limit: text,
            });
        }
        let known = self.resource(kind, name).is_some();
        if !known && self.names(kind) >= names {
            self.exceeded(Bound::AdsNames);
            let type_url = kind.type_url();
            return Err(SubscribeError::TooMany {
                type_url,
                limit: names,
            });
        }
        Ok(())
    }

    /// How many names of a kind are wanted.
    pub(super) fn names(&self, kind: ResourceType) -> usize {
        // Every lingering entry is in `removed`, and nothing else is.
        self.store.of(kind).len() - self.wires[kind as usize].removed.len()
    }

    pub(super) fn has_names(&self) -> bool {
        ResourceType::ALL
            .into_iter()
            .any(|kind| self.names(kind) > 0)
    }
}
