//! Cluster specifier plugins: none is known yet, so all that is read is which ones are optional.

use std::collections::HashSet;

use mesh_proto::envoy::config::route::v3::ClusterSpecifierPlugin;

use super::action::Choice;
use crate::resource::{
    at::At,
    reader::{Reader, quoted},
};

/// The plugins that a RouteConfiguration declares.
pub(super) struct Plugins<'a>(HashSet<&'a str>);

impl Reader<'_> {
    pub(super) fn plugins<'a>(
        &mut self,
        at: &At<'_>,
        declared: &'a [ClusterSpecifierPlugin],
    ) -> Plugins<'a> {
        let mut names = HashSet::new();
        for (i, plugin) in declared.iter().enumerate() {
            let at = at.index(i);
            let at = at.field("extension");
            let Some(extension) = &plugin.extension else {
                self.error(&at, "is missing");
                continue;
            };
            names.insert(extension.name.as_str());
            let found = extension.typed_config.as_ref().map(|any| &*any.type_url);
            let found = quoted(found.unwrap_or_default());
            if plugin.is_optional {
                let reason = format!("{found} is not known here and optional: left out");
                self.warn(&at.field("typed_config"), reason);
            } else {
                let reason = format!("{found} is not a plugin known here");
                self.error(&at.field("typed_config"), reason);
            }
        }
        Plugins(names)
    }

    /// A route through an optional plugin that is not known is left out in gRPC; in Envoy it leads
    /// nowhere.
    pub(super) fn named_plugin(
        &mut self,
        at: &At<'_>,
        name: &str,
        plugins: &Plugins<'_>,
    ) -> Option<Choice> {
        if !plugins.0.contains(name) {
            self.error(at, format!("{} is not declared", quoted(name)));
            return None;
        }
        if self.is_grpc() {
            self.warn(at, "is not known here and optional: the route is left out");
            return Some(Choice::Skip);
        }
        self.warn(at, "is not known here and optional: requests are refused");
        let reason = format!(
            "cluster_specifier_plugin {} is not supported yet",
            quoted(name)
        );
        Some(Choice::Refuse(reason))
    }
}
