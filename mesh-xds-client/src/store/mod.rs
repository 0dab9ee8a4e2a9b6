//! What the control plane has sent and what is known about it: one table for both variants of the
//! protocol, read by whoever assembles the configuration and by whoever reports it.

mod digest;
mod entry;
mod error;

use std::{
    collections::{BTreeMap, btree_map},
    sync::Arc,
};

use self::digest::{Digest, Digests};
pub use self::{
    entry::{Answer, Entry, Status},
    error::{ErrorKind, ErrorState},
};
use crate::resource::ResourceType;

/// Everything subscribed to, by kind and name.
///
/// Names are ordered, so that a request lists them the same way each time.
#[derive(Debug)]
pub(crate) struct Store<V> {
    kinds: [BTreeMap<Arc<str>, Entry<V>>; ResourceType::ALL.len()],
    digests: Digests,
}

impl<V> Default for Store<V> {
    fn default() -> Self {
        Self {
            kinds: std::array::from_fn(|_| BTreeMap::new()),
            digests: Digests::default(),
        }
    }
}

impl<V> Store<V> {
    /// The entries of one kind.
    pub(crate) const fn of(&self, kind: ResourceType) -> &BTreeMap<Arc<str>, Entry<V>> {
        &self.kinds[kind as usize]
    }

    /// The entries of one kind, to be changed.
    pub(crate) const fn of_mut(&mut self, kind: ResourceType) -> &mut BTreeMap<Arc<str>, Entry<V>> {
        &mut self.kinds[kind as usize]
    }

    /// What stands for the bytes of a resource.
    pub(crate) fn digest(&self, bytes: &[u8]) -> Digest {
        self.digests.of(bytes)
    }

    /// The entry with a canonical name.
    pub(crate) fn get(&self, kind: ResourceType, name: &str) -> Option<&Entry<V>> {
        self.of(kind).get(name)
    }

    /// Every entry.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ResourceType, &Arc<str>, &Entry<V>)> {
        ResourceType::ALL.into_iter().flat_map(|kind| {
            self.of(kind)
                .iter()
                .map(move |(name, entry)| (kind, name, entry))
        })
    }

    /// Makes room for a name; false if it is there already.
    pub(crate) fn insert(&mut self, kind: ResourceType, name: &Arc<str>) -> bool {
        match self.of_mut(kind).entry(name.clone()) {
            btree_map::Entry::Occupied(_) => false,
            btree_map::Entry::Vacant(vacant) => {
                vacant.insert(Entry::default());
                true
            }
        }
    }
}
