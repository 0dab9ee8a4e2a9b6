//! Route tables: each version of a RouteConfiguration is compiled once, for all who use it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use mesh_core::policy::route::RouteTable;

use super::cluster::keep;
use crate::resource::RouteConfigResource;

/// The tables in use, by the canonical name of their resource.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    versions: HashMap<Arc<str>, Version>,
}

/// The newest version of a RouteConfiguration.
#[derive(Debug)]
struct Version {
    resource: Arc<RouteConfigResource>,
    /// One for each default that the listeners over it give.
    tables: Vec<(Option<Duration>, Arc<RouteTable>)>,
}

impl Tables {
    /// The table of a RouteConfiguration under a listener whose `max_stream_duration` is this.
    pub(crate) fn get(
        &mut self,
        name: &Arc<str>,
        resource: &Arc<RouteConfigResource>,
        default: Option<Duration>,
    ) -> Arc<RouteTable> {
        let version = self.versions.entry(Arc::clone(name));
        let version = version.or_insert_with(|| Version {
            resource: Arc::clone(resource),
            tables: Vec::new(),
        });
        let mut newest = Arc::clone(resource);
        keep(&version.resource, &mut newest);
        if !Arc::ptr_eq(&version.resource, &newest) {
            version.resource = newest;
            version.tables.clear();
        }
        let known = version.tables.iter().find(|(of, _)| *of == default);
        if let Some((_, table)) = known {
            return Arc::clone(table);
        }
        let table = compile(resource, default);
        version.tables.push((default, Arc::clone(&table)));
        table
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// Forgets the resources that are not needed, and the tables that nobody else holds.
    pub(crate) fn sweep(&mut self, is_needed: impl Fn(&Arc<str>) -> bool) {
        self.versions.retain(|name, version| {
            let tables = &mut version.tables;
            tables.retain(|(_, table)| Arc::strong_count(table) > 1);
            is_needed(name)
        });
    }
}

/// Compiles the routes as they are under a listener's default.
pub(crate) fn compile(
    resource: &RouteConfigResource,
    default: Option<Duration>,
) -> Arc<RouteTable> {
    Arc::new(RouteTable::compile(
        resource.with_listener_defaults(default),
    ))
}
