//! Chains: a listener's filters, made for each scope of overrides.

use std::sync::Arc;

use super::{BodyMode, FilterRegistry, HttpFilter};
use crate::{
    config::{ConfigErrors, FieldPath, FilterKind, ListenerConfig},
    policy::route::Scope,
};

/// The filters that run in one scope, in request order.
#[derive(Debug, Default)]
pub struct FilterChain {
    pub(super) entries: Vec<Entry>,
}

/// One filter of a chain.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its place in the listener's list, by which chains of one listener agree.
    pub(super) place: usize,
    name: Arc<str>,
    kind: FilterKind,
    pub(super) filter: Arc<dyn HttpFilter>,
}

impl FilterChain {
    /// Whether requests pass untouched.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The instance names of its filters, in request order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.name)
    }

    /// What each filter needs of the bodies, in request order.
    pub fn body_modes(&self) -> impl Iterator<Item = BodyMode> {
        self.entries.iter().map(|entry| entry.filter.body_mode())
    }
}

/// The chains of one listener, one for each scope of its route table.
#[derive(Debug, Default)]
pub struct FilterChains {
    by_scope: Vec<Arc<FilterChain>>,
}

impl FilterChains {
    /// Builds the chains of a route table's `scopes`.
    ///
    /// A filter that `previous` or another scope has under the same name and with the same
    /// configuration is taken over with all that it has gathered (gRFC A83). One that never does
    /// anything is left out.
    ///
    /// # Errors
    /// Every filter that cannot be made, with its path in the listener, its name and the reason.
    pub fn build(
        listener: &ListenerConfig,
        scopes: &[Scope],
        registry: &FilterRegistry,
        previous: Option<&Self>,
    ) -> Result<Self, ConfigErrors> {
        let mut errors = ConfigErrors::default();
        let mut made: Vec<Vec<Entry>> = listener
            .filters
            .iter()
            .map(|filter| previous.map_or_else(Vec::new, |chains| chains.named(&filter.name)))
            .collect();
        let mut by_scope = Vec::with_capacity(scopes.len());
        for scope in scopes {
            let mut entries = Vec::new();
            for (place, (filter, made)) in listener.filters.iter().zip(&mut made).enumerate() {
                let Some(kind) = scope.resolve(filter).filter(acts) else {
                    continue;
                };
                if let Some(entry) = made.iter().find(|entry| entry.kind == kind) {
                    let entry = entry.clone();
                    entries.push(Entry { place, ..entry });
                    continue;
                }
                match registry.make(&kind) {
                    Ok(new) => {
                        let name = Arc::clone(&filter.name);
                        let entry = Entry {
                            place,
                            name,
                            kind,
                            filter: new,
                        };
                        made.push(entry.clone());
                        entries.push(entry);
                    }
                    Err(error) => errors.push(
                        &FieldPath::root().field("http_filters").index(place),
                        format!("filter {:?}: {error}", filter.name),
                    ),
                }
            }
            by_scope.push(Arc::new(FilterChain { entries }));
        }
        errors.into_result(Self { by_scope })
    }

    /// The chain of a scope, by its place among the scopes that the chains were built for.
    #[must_use]
    pub fn get(&self, scope: usize) -> Option<&Arc<FilterChain>> {
        self.by_scope.get(scope)
    }

    /// Every different filter of this name.
    fn named(&self, name: &str) -> Vec<Entry> {
        let mut found: Vec<Entry> = Vec::new();
        let all = self.by_scope.iter().flat_map(|chain| &chain.entries);
        for entry in all.filter(|entry| &*entry.name == name) {
            if !found.iter().any(|known| known.kind == entry.kind) {
                found.push(entry.clone());
            }
        }
        found
    }
}

/// Whether a filter can ever do anything: control planes list fault filters without faults, for
/// routes to override.
fn acts(kind: &FilterKind) -> bool {
    match kind {
        FilterKind::Fault(config) => !config.is_inert(),
        FilterKind::Custom { .. } => true,
    }
}
