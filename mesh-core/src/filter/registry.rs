//! Which filters there are: the built-in ones and those that the program adds.

use std::{collections::HashMap, fmt, sync::Arc};

use super::{ActiveFaults, HttpFilter, fault::FaultFilter};
use crate::config::{ConfigError, FieldPath, FilterKind};

/// Makes a filter from the bytes of its configuration message.
pub type FilterFactory =
    Arc<dyn Fn(&[u8]) -> Result<Arc<dyn HttpFilter>, ConfigError> + Send + Sync>;

/// The filters that chains can be built of: fault injection, and what is registered under the type
/// URL of its configuration.
#[derive(Clone)]
pub struct FilterRegistry {
    factories: HashMap<Arc<str>, FilterFactory>,
    active_faults: ActiveFaults,
}

impl FilterRegistry {
    /// The built-in filters, counting active faults in a gauge of their own instead of the
    /// process's.
    #[must_use]
    pub fn with_active_faults(active_faults: ActiveFaults) -> Self {
        Self {
            factories: HashMap::new(),
            active_faults,
        }
    }

    /// Adds the filter whose configuration has this type URL, as
    /// `type.googleapis.com/acme.filters.Audit`; replaces one of the same URL.
    pub fn register<F>(&mut self, type_url: impl Into<Arc<str>>, factory: F)
    where
        F: Fn(&[u8]) -> Result<Arc<dyn HttpFilter>, ConfigError> + Send + Sync + 'static,
    {
        self.factories.insert(type_url.into(), Arc::new(factory));
    }

    /// Whether a filter was registered under this type URL.
    #[must_use]
    pub fn knows(&self, type_url: &str) -> bool {
        self.factories.contains_key(type_url)
    }

    /// The type URLs under which filters were registered, in no order.
    pub fn type_urls(&self) -> impl Iterator<Item = &Arc<str>> {
        self.factories.keys()
    }

    /// Makes the filter of a configuration.
    ///
    /// # Errors
    /// The type URL when nothing is registered under it, or what the factory says.
    pub fn make(&self, kind: &FilterKind) -> Result<Arc<dyn HttpFilter>, ConfigError> {
        match kind {
            FilterKind::Fault(config) => Ok(Arc::new(FaultFilter::new(
                Arc::clone(config),
                self.active_faults.clone(),
            ))),
            FilterKind::Custom { type_url, value } => match self.factories.get(type_url) {
                Some(factory) => factory(value),
                None => Err(ConfigError::new(
                    &FieldPath::root(),
                    format!("no filter is registered under the type URL {type_url:?}"),
                )),
            },
        }
    }
}

impl Default for FilterRegistry {
    /// The built-in filters.
    fn default() -> Self {
        Self::with_active_faults(ActiveFaults::of_process())
    }
}

impl fmt::Debug for FilterRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut type_urls: Vec<_> = self.factories.keys().collect();
        type_urls.sort();
        f.debug_struct("FilterRegistry")
            .field("type_urls", &type_urls)
            .field("active_faults", &self.active_faults)
            .finish()
    }
}
