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
    places: HashMap<Arc<Scope>, u32>,
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
    pub(super) fn place<const N: usize>(&mut self, layers: [&FilterOverrides; N]) -> u32 {
        let overrides = |layer: &&&FilterOverrides| {
            layer
                .0
                .as_ref()
                .is_some_and(|overrides| !overrides.is_empty())
        };
        let layers: Vec<_> = layers.iter().filter(overrides).copied().cloned().collect();
        if layers.is_empty() {
            return 0;
        }
        let scope = Arc::new(Scope { layers });
        *self.places.entry(scope).or_insert_with_key(|scope| {
            let place = u32::try_from(self.scopes.len()).unwrap_or(u32::MAX);
            self.scopes.push(Arc::clone(scope));
            place
        })
    }

    pub(super) fn into_vec(self) -> Vec<Scope> {
        drop(self.places);
        self.scopes.into_iter().map(Arc::unwrap_or_clone).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::FaultConfig;

    fn fault(max_active: u32) -> FilterKind {
        FilterKind::Fault(Arc::new(FaultConfig {
            max_active: Some(max_active),
            ..FaultConfig::default()
        }))
    }

    fn overrides(name: &str, value: FilterOverride) -> FilterOverrides {
        FilterOverrides(Some(Arc::new(BTreeMap::from([(name.into(), value)]))))
    }

    #[test]
    fn the_most_specific_override_counts_whole() {
        use FilterOverride::{Disable, Enable, Replace};
        let resolve = |disabled, layers: &[FilterOverride]| {
            let layers = layers.iter().cloned();
            let scope = Scope {
                layers: layers.map(|layer| overrides("f", layer)).collect(),
            };
            scope.resolve(&FilterConfig {
                name: "f".into(),
                kind: fault(0),
                disabled,
            })
        };
        assert_eq!(resolve(false, &[]), Some(fault(0)));
        assert_eq!(resolve(true, &[]), None);
        assert_eq!(resolve(false, &[Disable]), None);
        assert_eq!(resolve(true, &[Enable]), Some(fault(0)));
        assert_eq!(resolve(true, &[Replace(fault(1))]), Some(fault(1)));
        assert_eq!(
            resolve(false, &[Replace(fault(1)), Replace(fault(2))]),
            Some(fault(1))
        );
        assert_eq!(resolve(false, &[Disable, Replace(fault(2))]), None);
        assert_eq!(resolve(true, &[Enable, Replace(fault(2))]), Some(fault(0)));
    }

    #[test]
    fn an_override_concerns_the_filter_of_its_name() {
        let scope = Scope {
            layers: vec![
                overrides("g", FilterOverride::Disable),
                overrides("f", FilterOverride::Replace(fault(1))),
            ],
        };
        let filter = FilterConfig {
            name: "f".into(),
            kind: fault(0),
            disabled: false,
        };
        assert_eq!(scope.resolve(&filter), Some(fault(1)));
    }

    #[test]
    fn equal_scopes_have_one_place_and_empty_layers_none() {
        let mut scopes = Scopes::new();
        let none = FilterOverrides::default();
        let empty = FilterOverrides(Some(Arc::default()));
        let off = || overrides("f", FilterOverride::Disable);
        let on = overrides("f", FilterOverride::Enable);
        assert_eq!(scopes.place([&none, &empty, &none]), 0);
        assert_eq!(scopes.place([&off(), &none]), 1);
        assert_eq!(scopes.place([&none, &off()]), 1);
        assert_eq!(scopes.place([&on, &off()]), 2);
        assert_eq!(scopes.place([&off(), &on]), 3);
        let scopes = scopes.into_vec();
        assert_eq!(scopes.len(), 4);
        assert_eq!(
            (&scopes[0], &scopes[2].layers),
            (&Scope::default(), &vec![on, off()])
        );
    }
}
