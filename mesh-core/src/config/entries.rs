//! The clusters of a snapshot, by name and in order.

use std::{
    ops::Index,
    sync::{Arc, OnceLock},
};

use indexmap::IndexSet;

use super::ClusterEntry;
use crate::name::ClusterName;

/// Clusters by name, in an order of their own.
///
/// What one version has in common with the one before it is shared: names as a whole, entries by the
/// page. So a copy with one entry changed, and finding the one that changed, cost a page and a pointer
/// for each other page.
#[derive(Clone, Debug, Default)]
pub struct ClusterEntries {
    names: Arc<IndexSet<ClusterName>>,
    pages: Arc<Vec<Arc<Vec<ClusterEntry>>>>,
}

/// Entries of a page: at 10,000 clusters there are about as many pages.
const PAGE: usize = 64;

impl ClusterEntries {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The place of a name.
    #[must_use]
    pub fn get_index_of(&self, name: &str) -> Option<usize> {
        self.names.get_index_of(name)
    }

    /// The entry of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ClusterEntry> {
        self.at(self.get_index_of(name)?)
    }

    /// The entry of a name, to be changed: its page is copied if another version shares it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut ClusterEntry> {
        let place = self.get_index_of(name)?;
        let page = Arc::make_mut(&mut self.pages).get_mut(place / PAGE)?;
        Arc::make_mut(page).get_mut(place % PAGE)
    }

    /// Puts an entry under a name: at its place, or behind all others if the name is new. With a new
    /// name nothing is shared with other versions but entries.
    pub fn insert(&mut self, name: ClusterName, entry: ClusterEntry) {
        if let Some(place) = self.get_mut(name.as_str()) {
            *place = entry;
            return;
        }
        Arc::make_mut(&mut self.names).insert(name);
        let pages = Arc::make_mut(&mut self.pages);
        match pages.last_mut().filter(|page| page.len() < PAGE) {
            Some(page) => Arc::make_mut(page).push(entry),
            None => pages.push(Arc::new(vec![entry])),
        }
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&ClusterName, &ClusterEntry)> {
        self.names.iter().zip(self.values())
    }

    /// Their names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &ClusterName> {
        self.names.iter()
    }

    /// The entries, in order.
    pub fn values(&self) -> impl Iterator<Item = &ClusterEntry> {
        self.pages.iter().flat_map(|page| page.iter())
    }

    /// What is another entry here than in `before`, with its place; `None` if the names are not those
    /// of `before`, by identity, so that nothing can be said.
    pub fn changes_since<'a>(
        &'a self,
        before: &'a Self,
    ) -> Option<impl Iterator<Item = (usize, &'a ClusterEntry)>> {
        if !Arc::ptr_eq(&self.names, &before.names) {
            return None;
        }
        let pages = self.pages.iter().zip(&*before.pages).enumerate();
        let changed = pages.filter(|(_, (new, old))| !Arc::ptr_eq(new, old));
        Some(changed.flat_map(|(number, (new, old))| {
            let entries = new.iter().zip(&**old).enumerate();
            let changed = entries.filter(|(_, (new, old))| !new.same(old));
            changed.map(move |(place, (new, _))| (number * PAGE + place, new))
        }))
    }

    fn at(&self, place: usize) -> Option<&ClusterEntry> {
        self.pages.get(place / PAGE)?.get(place % PAGE)
    }
}

/// Of entries with one name the last counts, at the place of the first.
impl FromIterator<(ClusterName, ClusterEntry)> for ClusterEntries {
    fn from_iter<T: IntoIterator<Item = (ClusterName, ClusterEntry)>>(entries: T) -> Self {
        let mut all = Self::default();
        for (name, entry) in entries {
            all.insert(name, entry);
        }
        all
    }
}

/// By name; one that is not there is a cluster that cannot be used.
impl Index<&str> for ClusterEntries {
    type Output = ClusterEntry;

    fn index(&self, name: &str) -> &ClusterEntry {
        static NOWHERE: OnceLock<ClusterEntry> = OnceLock::new();
        let nowhere = || ClusterEntry::Unavailable("there is none of this name".into());
        self.get(name)
            .unwrap_or_else(|| NOWHERE.get_or_init(nowhere))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ClusterConfig, ClusterSnapshot, Dialect, Discovery, EndpointsConfig};

    fn entry(name: &str) -> ClusterEntry {
        let endpoints = Arc::<EndpointsConfig>::default();
        let discovery = Discovery::Static(Arc::clone(&endpoints));
        ClusterEntry::Ready(ClusterSnapshot {
            config: Arc::new(ClusterConfig::new(name, discovery, Dialect::Grpc)),
            endpoints,
            note: None,
        })
    }

    fn entries(count: usize) -> ClusterEntries {
        let names = (0..count).map(|number| format!("c{number}"));
        names
            .map(|name| (name.as_str().into(), entry(&name)))
            .collect()
    }

    #[test]
    fn they_are_found_by_name_and_stand_in_order() {
        for count in [0, 1, PAGE - 1, PAGE, PAGE + 1, 10 * PAGE + 7] {
            let entries = entries(count);
            assert_eq!((entries.len(), entries.is_empty()), (count, count == 0));
            assert_eq!(entries.values().count(), count);
            for (number, (name, entry)) in entries.iter().enumerate() {
                assert_eq!(name.as_str(), format!("c{number}"));
                assert_eq!(entries.get_index_of(name.as_str()), Some(number));
                assert!(entries[name.as_str()].same(entry));
                let ClusterEntry::Ready(cluster) = entry else {
                    panic!("{entry:?}");
                };
                assert_eq!(cluster.config.name, *name);
            }
            assert!(entries.get("other").is_none());
            assert!(matches!(entries["other"], ClusterEntry::Unavailable(_)));
        }
        let twice: ClusterEntries = [("a", "a"), ("b", "b"), ("a", "c")]
            .map(|(name, of)| (name.into(), entry(of)))
            .into_iter()
            .collect();
        assert_eq!(twice.len(), 2);
        assert!(matches!(&twice["a"], ClusterEntry::Ready(it) if it.config.name.as_str() == "c"));
    }

    #[test]
    fn one_change_among_ten_thousand_costs_its_page() {
        let before = entries(10_000);
        let mut after = before.clone();
        assert_eq!(after.changes_since(&before).unwrap().count(), 0);
        *after.get_mut("c7777").unwrap() = entry("new");
        let changes: Vec<_> = after.changes_since(&before).unwrap().collect();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].0, 7777);
        assert!(changes[0].1.same(&after["c7777"]));
        let pages = after.pages.iter().zip(&*before.pages);
        let copied = pages.filter(|(new, old)| !Arc::ptr_eq(new, old)).count();
        assert_eq!((copied, after.pages.len()), (1, 157));
        assert!(Arc::ptr_eq(&after.names, &before.names));
        // The old version is what it was.
        assert!(!before["c7777"].same(&after["c7777"]));
        // Copied and not changed is no change.
        let mut copy = before.clone();
        let same = copy["c1"].clone();
        *copy.get_mut("c1").unwrap() = same;
        assert_eq!(copy.changes_since(&before).unwrap().count(), 0);
        assert!(
            entries(10_000).changes_since(&before).is_none(),
            "other names"
        );
    }
}
