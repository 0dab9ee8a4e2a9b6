//! Scopes: the distinct combinations of filter overrides in a route table.

use std::{collections::HashMap, sync::Arc};

use crate::config::{FilterConfig, FilterKind, FilterOverride, FilterOverrides};

/// The overrides that hold for some requests of a table: those of a weighted cluster, of a route
/// and of a virtual host, as far as there are any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The most specific first; at most three, none of them empty.
    pub layers: Vec<FilterOverrides>,
}

impl Scope {
    /// What runs of `filter` in this scope; `None` when it is off. The most specific override
    /// counts, and it counts whole: nothing is merged (gRFC A39; Envoy's `typed_per_filter_config`).
    #[must_use]
    pub fn resolve(&self, filter: &FilterConfig) -> Option<FilterKind> {
        match self.layers.iter().find_map(|layer| layer.get(&filter.name)) {
            Some(FilterOverride::Replace(kind)) => Some(kind.clone()),
            Some(FilterOverride::Enable) => Some(filter.kind.clone()),
            Some(FilterOverride::Disable) => None,
            None => (!filter.disabled).then(|| filter.kind.clone()),
        }
    }
}

/// Collects scopes, each once; place 0 is the scope without overrides.
#[derive(Debug)]
pub(super) struct Scopes {
    places: HashMap<Arc<Scope>, usize>,
    scopes: Vec<Arc<Scope>>,
}

impl Scopes {
    pub(super) fn new() -> Self {
        let none = Arc::new(Scope::default());
        Self {
            places: HashMap::from([(Arc::clone(&none), 0)]),
            scopes: vec![none],
        }
    }

    /// The place of the scope with these layers, the most specific first.
    pub(super) fn place<const N: usize>(&mut self, layers: [&FilterOverrides; N]) -> usize {
        let overrides = |layer: &&&FilterOverrides| {
            layer
                .0
                .as_ref()
                .is_some_and(|overrides| !overrides.is_empty())
        };
        let layers = layers.iter().filter(overrides).copied().cloned().collect();
        let scope = Arc::new(Scope { layers });
        *self.places.entry(scope).or_insert_with_key(|scope| {
            self.scopes.push(Arc::clone(scope));
            self.scopes.len() - 1
        })
    }

    pub(super) fn into_vec(self) -> Vec<Scope> {
        drop(self.places);
        self.scopes.into_iter().map(Arc::unwrap_or_clone).collect()
    }
}
