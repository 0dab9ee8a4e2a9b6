//! What a virtual host, a route or a weighted cluster says about filters, by their names.

use std::{collections::BTreeMap, sync::Arc};

use mesh_core::config::{FilterOverride, FilterOverrides};
use mesh_proto::{Any, envoy::config::route::v3::FilterConfig};

use super::Read;
use crate::resource::{
    at::At,
    reader::{Reader, quoted},
};

impl Reader<'_> {
    /// A `typed_per_filter_config`. Names that `defaults` has and `configs` has not are taken over:
    /// the scope above has no place of its own in the configuration.
    pub(in crate::resource) fn filter_overrides(
        &mut self,
        at: &At<'_>,
        configs: &BTreeMap<String, Any>,
        defaults: &FilterOverrides,
    ) -> FilterOverrides {
        if configs.is_empty() {
            return defaults.clone();
        }
        let at = at.field("typed_per_filter_config");
        let mut map: BTreeMap<Arc<str>, FilterOverride> =
            defaults.0.as_deref().cloned().unwrap_or_default();
        for (name, any) in configs {
            if let Some(read) = self.filter_override(&at.key(name), any) {
                map.insert(name.as_str().into(), read);
            }
        }
        FilterOverrides((!map.is_empty()).then(|| Arc::new(map)))
    }

    fn filter_override(&mut self, at: &At<'_>, any: &Any) -> Option<FilterOverride> {
        if !any.is::<FilterConfig>() {
            return self.replacement(at, any, false);
        }
        let wrapper: FilterConfig = self.unpack(at, any)?;
        if wrapper.disabled {
            return Some(FilterOverride::Disable);
        }
        let place = at.field("config");
        match &wrapper.config {
            // Envoy reads an empty `Any` as "on, as the chain configures it".
            Some(config) if config.type_url.is_empty() => Some(FilterOverride::Enable),
            Some(config) => self.replacement(&place, config, wrapper.is_optional),
            None => {
                self.error(&place, "is missing");
                None
            }
        }
    }

    fn replacement(&mut self, at: &At<'_>, any: &Any, optional: bool) -> Option<FilterOverride> {
        match self.filter_kind(at, any)? {
            Read::Filter(kind) => Some(FilterOverride::Replace(kind)),
            Read::Router => {
                self.error(at, "a router takes no override");
                None
            }
            Read::Unknown(found) if optional => {
                let reason = format!(
                    "{} is not known here and optional: left out",
                    quoted(&found)
                );
                self.warn(at, reason);
                None
            }
            Read::Unknown(found) => {
                let reason = format!("{} is not a filter known here", quoted(&found));
                self.error(at, reason);
                None
            }
        }
    }
}
