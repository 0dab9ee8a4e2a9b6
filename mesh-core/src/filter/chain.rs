//! Chains: a listener's filters, made for each scope of overrides.

use std::{
    collections::{HashMap, hash_map},
    sync::Arc,
};

use super::{BodyMode, Draws, FilterRegistry, HttpFilter};
use crate::{
    config::{ConfigErrors, FieldPath, FilterKind, ListenerConfig},
    policy::{head::RequestHead, route::Scope},
};

/// The filters that run in one scope, in request order. Cheap to clone; without filters it costs a
/// request nothing to hold it.
#[derive(Clone, Debug, Default)]
pub struct FilterChain(Option<Arc<[Entry]>>);

/// One filter of a chain.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its place in the listener's list, by which chains of one listener agree.
    pub(super) place: usize,
    name: Arc<str>,
    kind: FilterKind,
    pub(super) filter: Arc<dyn HttpFilter>,
}

/// Filters by instance name and configuration: as many lookups as there are scopes, and control
/// planes may send a scope a route.
type Made = HashMap<(Arc<str>, FilterKind), Arc<dyn HttpFilter>>;

impl FilterChain {
    /// Whether requests pass untouched.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether every filter leaves a request with the random number `draw` alone; it need not go
    /// through the chain then.
    #[must_use]
    pub fn is_idle(&self, draw: u64, head: &RequestHead<'_>) -> bool {
        let mut entries = self.entries().iter();
        entries.all(|entry| entry.filter.is_idle(Draws::new(draw, entry.place), head))
    }

    pub(super) fn entries(&self) -> &[Entry] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether the two are one.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() == other.is_none(),
        }
    }

    /// The instance names of its filters, in request order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries().iter().map(|entry| &*entry.name)
    }

    /// What each filter needs of the bodies, in request order.
    pub fn body_modes(&self) -> impl Iterator<Item = BodyMode> {
        self.entries().iter().map(|entry| entry.filter.body_mode())
    }
}

/// The chains of one listener, one for each scope of its route table.
#[derive(Debug, Default)]
pub struct FilterChains {
    by_scope: Vec<FilterChain>,
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
    #[expect(
        clippy::mutable_key_type,
        reason = "what changes in a pattern is scratch space: it is compared by its source"
    )]
    pub fn build(
        listener: &ListenerConfig,
        scopes: &[Scope],
        registry: &FilterRegistry,
        previous: Option<&Self>,
    ) -> Result<Self, ConfigErrors> {
        let mut errors = ConfigErrors::default();
        let mut made = previous.map_or_else(Made::new, Self::made);
        let mut by_scope = Vec::with_capacity(scopes.len());
        for scope in scopes {
            let mut entries = Vec::new();
            for (place, filter) in listener.filters.iter().enumerate() {
                let Some(kind) = scope.resolve(filter).filter(acts) else {
                    continue;
                };
                let name = Arc::clone(&filter.name);
                let known = made.entry((Arc::clone(&name), kind.clone()));
                let filter = match known {
                    hash_map::Entry::Occupied(known) => Arc::clone(known.get()),
                    hash_map::Entry::Vacant(room) => match registry.make(&kind) {
                        Ok(new) => Arc::clone(room.insert(new)),
                        Err(error) => {
                            errors.push(
                                &FieldPath::root().field("http_filters").index(place),
                                format!("filter {name:?}: {error}"),
                            );
                            continue;
                        }
                    },
                };
                entries.push(Entry {
                    place,
                    name,
                    kind,
                    filter,
                });
            }
            let entries = (!entries.is_empty()).then(|| entries.into());
            by_scope.push(FilterChain(entries));
        }
        errors.into_result(Self { by_scope })
    }

    /// The chain of a scope, by its place among the scopes that the chains were built for.
    #[must_use]
    pub fn get(&self, scope: usize) -> Option<&FilterChain> {
        self.by_scope.get(scope)
    }

    /// Every different filter.
    #[expect(
        clippy::mutable_key_type,
        reason = "what changes in a pattern is scratch space: it is compared by its source"
    )]
    fn made(&self) -> Made {
        let all = self.by_scope.iter().flat_map(FilterChain::entries);
        let made = all.map(|entry| {
            let key = (Arc::clone(&entry.name), entry.kind.clone());
            (key, Arc::clone(&entry.filter))
        });
        made.collect()
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
