//! HTTP filters: the chain of a listener, and what other scopes say about its members (gRFC A39;
//! Envoy, "HTTP filters").

mod fault;
mod overrides;

use std::collections::HashSet;

use mesh_core::config::{FilterConfig, FilterKind};
use mesh_proto::{
    Any, TypeUrl,
    envoy::extensions::filters::{
        http::{fault::v3::HttpFault, router::v3::Router},
        network::http_connection_manager::v3::{HttpFilter, http_filter::ConfigType},
    },
    udpa,
    xds::r#type::v3::TypedStruct,
};
use prost::Message as _;

use super::{
    at::At,
    reader::{Reader, quoted},
};

/// What a filter's configuration turned out to be.
enum Read {
    /// The terminal filter.
    Router,
    /// Any other.
    Filter(FilterKind),
    /// Of a type that is not known here.
    Unknown(String),
}

impl Reader<'_> {
    /// The chain in request order, without the router that ends it.
    pub(super) fn filter_chain(
        &mut self,
        at: &At<'_>,
        filters: &[HttpFilter],
    ) -> Vec<FilterConfig> {
        let mut names = HashSet::new();
        // Each kept entry with its place; `None` is a router.
        let mut kept: Vec<(usize, Option<FilterConfig>)> = Vec::new();
        for (i, filter) in filters.iter().enumerate() {
            let place = at.index(i);
            if filter.name.is_empty() {
                self.error(&place.field("name"), "is empty");
            } else if !names.insert(filter.name.as_str()) {
                let reason = format!("{} is the name of two filters", quoted(&filter.name));
                self.error(&place.field("name"), reason);
            }
            match self.filter(&place, filter) {
                Some(Read::Router) => kept.push((i, None)),
                Some(Read::Filter(kind)) => {
                    let config = FilterConfig {
                        name: filter.name.as_str().into(),
                        kind,
                        disabled: filter.disabled,
                    };
                    kept.push((i, Some(config)));
                }
                Some(Read::Unknown(_)) => {}
                // An entry with an error says nothing about the order of the others.
                None => return Vec::new(),
            }
        }
        self.check_order(at, &kept);
        kept.into_iter().filter_map(|(_, config)| config).collect()
    }

    fn check_order(&mut self, at: &At<'_>, kept: &[(usize, Option<FilterConfig>)]) {
        let Some(((last, end), before)) = kept.split_last() else {
            return self.error(at, "is empty: a chain ends with a router");
        };
        if end.is_some() {
            self.error(&at.index(*last), "is the last filter but not a router");
        }
        for (i, config) in before {
            if config.is_none() {
                self.error(&at.index(*i), "is a router but not the last filter");
            }
        }
    }

    fn filter(&mut self, at: &At<'_>, filter: &HttpFilter) -> Option<Read> {
        let place = at.field("typed_config");
        let any = match &filter.config_type {
            Some(ConfigType::TypedConfig(any)) => any,
            Some(ConfigType::ConfigDiscovery(_)) if filter.is_optional => {
                self.warn(
                    at,
                    "is optional and of a kind not known here: it is left out",
                );
                return Some(Read::Unknown(String::new()));
            }
            Some(ConfigType::ConfigDiscovery(_)) => {
                self.error(&at.field("config_discovery"), "is not supported yet");
                return None;
            }
            None => {
                self.error(&place, "is missing");
                return None;
            }
        };
        let read = self.filter_kind(&place, any)?;
        if let Read::Unknown(found) = &read {
            if !filter.is_optional {
                let reason = format!("{} is not a filter known here", quoted(found));
                self.error(&place, reason);
                return None;
            }
            let reason = format!("{} is not known here and optional: left out", quoted(found));
            self.warn(&place, reason);
        }
        Some(read)
    }

    /// Reads a filter's configuration, looking through the two `TypedStruct`s.
    fn filter_kind(&mut self, at: &At<'_>, any: &Any) -> Option<Read> {
        let (type_url, value) = if any.is::<TypedStruct>() {
            let typed: TypedStruct = self.unpack(at, any)?;
            (typed.type_url, typed.value)
        } else if any.is::<udpa::r#type::v1::TypedStruct>() {
            let typed: udpa::r#type::v1::TypedStruct = self.unpack(at, any)?;
            (typed.type_url, typed.value)
        } else {
            return self.plain_filter_kind(at, any);
        };
        let type_url = canonical(&type_url);
        if type_url == Router::TYPE_URL {
            return Some(Read::Router);
        }
        if type_url == HttpFault::TYPE_URL {
            self.error(at, "must be an HTTPFault message, not a TypedStruct");
            return None;
        }
        if !self.options.knows_filter(&type_url) {
            return Some(Read::Unknown(type_url));
        }
        Some(Read::Filter(FilterKind::Custom {
            type_url: type_url.into(),
            value: value.unwrap_or_default().encode_to_vec().into(),
        }))
    }

    fn plain_filter_kind(&mut self, at: &At<'_>, any: &Any) -> Option<Read> {
        if any.is::<Router>() {
            // Its fields have no meaning for a client, but it has to decode.
            self.unpack::<Router>(at, any)?;
            return Some(Read::Router);
        }
        if any.is::<HttpFault>() {
            let fault: HttpFault = self.unpack(at, any)?;
            let fault = self.fault(at, &fault)?;
            return Some(Read::Filter(FilterKind::Fault(fault.into())));
        }
        let type_url = canonical(&any.type_url);
        if !self.options.knows_filter(&type_url) {
            return Some(Read::Unknown(type_url));
        }
        Some(Read::Filter(FilterKind::Custom {
            type_url: type_url.into(),
            value: any.value.clone(),
        }))
    }
}

/// A type URL with the usual host in front of the type's name.
fn canonical(type_url: &str) -> String {
    let name = type_url.rsplit_once('/').map_or(type_url, |(_, name)| name);
    format!("type.googleapis.com/{name}")
}
