//! RouteConfigurations: virtual hosts and their domains.

mod action;
mod entry;
pub(super) mod parts;
mod plugin;
mod retry;
mod weighted;

use std::{collections::HashSet, sync::Arc, time::Duration};

use mesh_core::config::{
    DomainPattern, EditedForwards, FilterOverrides, MatchRules, RouteAction, RouteConfig,
    VirtualHost,
};
use mesh_proto::envoy::config::route::v3::{RouteConfiguration, VirtualHost as HostMessage};

use super::{
    Resource,
    at::At,
    reader::{Reader, quoted},
    unsupported,
};
use parts::{Hosts, Malformed, Routes};
use plugin::Plugins;

/// Most overrides that a whole RouteConfiguration may have: each of its virtual hosts holds them
/// beside its own, and a short message must not become a large configuration.
const MAX_DEFAULT_OVERRIDES: usize = 128;

/// A RouteConfiguration resource.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteConfigResource {
    /// The routes, each with its own limits only.
    pub config: RouteConfig,
}

impl RouteConfigResource {
    /// The routes as they are under a listener whose `max_stream_duration` is this: it serves the
    /// routes that have none (gRFC A31).
    #[must_use]
    pub fn with_listener_defaults(&self, max_stream_duration: Option<Duration>) -> RouteConfig {
        let mut config = self.config.clone();
        if max_stream_duration.is_none() {
            return config;
        }
        let routes = config
            .virtual_hosts
            .iter_mut()
            .flat_map(|host| &mut host.routes);
        let mut limited = EditedForwards::default();
        for route in routes {
            if let RouteAction::Forward(forward) = &route.action
                && forward.stream.max_stream_duration.is_none()
                && let RouteAction::Forward(forward) = &mut Arc::make_mut(route).action
            {
                limited.edit(forward, |forward| {
                    forward.stream.max_stream_duration = max_stream_duration;
                });
            }
        }
        config
    }
}

/// A RouteConfiguration on its own, with its virtual hosts apart from it.
pub(super) fn read(
    r: &mut Reader<'_>,
    message: &RouteConfiguration,
    hosts: &Hosts<'_>,
) -> Option<Resource> {
    let config = configuration(r, &At::ROOT, message, hosts, &message.name);
    Some(Resource::RouteConfig(Arc::new(config)))
}

/// A RouteConfiguration inside the listener of that name.
pub(super) fn inline(
    r: &mut Reader<'_>,
    at: &At<'_>,
    message: &RouteConfiguration,
    listener: &str,
) -> RouteConfigResource {
    let hosts = Hosts::Decoded(&message.virtual_hosts);
    configuration(r, at, message, &hosts, listener)
}

/// What is wrong with it is noted in `r`.
fn configuration(
    r: &mut Reader<'_>,
    at: &At<'_>,
    message: &RouteConfiguration,
    hosts: &Hosts<'_>,
    name: &str,
) -> RouteConfigResource {
    let unused = unsupported::route_configuration(message);
    r.unused(at, &unused);
    let none = FilterOverrides::default();
    let overrides = if r.is_grpc() {
        // gRFC A39 has three scopes; this is none of them.
        if !message.typed_per_filter_config.is_empty() {
            let place = at.field("typed_per_filter_config");
            r.warn(&place, "is not read in dialect grpc");
        }
        none
    } else {
        let configs = &message.typed_per_filter_config;
        if configs.len() > MAX_DEFAULT_OVERRIDES {
            let reason = format!("has more than {MAX_DEFAULT_OVERRIDES} entries");
            r.error(&at.field("typed_per_filter_config"), reason);
            none
        } else {
            r.filter_overrides(at, configs, &none)
        }
    };
    if r.is_grpc() && message.ignore_port_in_host_matching {
        let place = at.field("ignore_port_in_host_matching");
        r.warn(&place, "is not read in dialect grpc");
    }
    let plugins = r.plugins(
        &at.field("cluster_specifier_plugins"),
        &message.cluster_specifier_plugins,
    );
    let virtual_hosts = virtual_hosts(r, at, hosts, &overrides, &plugins);
    RouteConfigResource {
        config: RouteConfig {
            name: name.into(),
            virtual_hosts,
            ignore_port: message.ignore_port_in_host_matching && !r.is_grpc(),
            rules: MatchRules::of(r.dialect()),
        },
    }
}

fn virtual_hosts(
    r: &mut Reader<'_>,
    at: &At<'_>,
    hosts: &Hosts<'_>,
    overrides: &FilterOverrides,
    plugins: &Plugins<'_>,
) -> Vec<VirtualHost> {
    let list = at.field("virtual_hosts");
    let mut seen = HashSet::new();
    let mut read = Vec::with_capacity(hosts.len());
    let all = hosts.each(|i, host, routes| {
        let (at, host) = (list.index(i), (host, routes));
        read.push(virtual_host(r, &at, host, overrides, plugins, &mut seen)?);
        Ok(())
    });
    r.malformed |= all.is_err();
    read
}

fn virtual_host(
    r: &mut Reader<'_>,
    at: &At<'_>,
    (host, routes): (&HostMessage, &Routes<'_>),
    overrides: &FilterOverrides,
    plugins: &Plugins<'_>,
    seen: &mut HashSet<String>,
) -> Result<VirtualHost, Malformed> {
    if host.name.is_empty() && !r.is_grpc() {
        r.error(&at.field("name"), "is empty");
    }
    let domains = domains(r, &at.field("domains"), &host.domains, seen);
    let unused = unsupported::virtual_host(host);
    let refusal = r.unused(at, &unused);
    let retry = r.optional_retry(&at.field("retry_policy"), host.retry_policy.as_ref());
    let filter_overrides = r.filter_overrides(at, &host.typed_per_filter_config, overrides);
    let scope = entry::HostScope {
        refusal: refusal.as_deref(),
        plugins,
    };
    let list = at.field("routes");
    // They stay: none of their room may be spare.
    let mut read = Vec::with_capacity(routes.len());
    routes.each(|i, route| read.extend(r.route(&list.index(i), route, &scope).map(Arc::new)))?;
    Ok(VirtualHost {
        name: host.name.as_str().into(),
        domains,
        routes: read,
        retry,
        filter_overrides,
    })
}

/// Envoy refuses a domain that two hosts claim, whatever its case. gRPC takes the first; a pattern
/// that it cannot read is left out here, where it would fail every lookup in gRPC for Go.
fn domains(
    r: &mut Reader<'_>,
    at: &At<'_>,
    domains: &[String],
    seen: &mut HashSet<String>,
) -> Vec<DomainPattern> {
    if domains.is_empty() && !r.is_grpc() {
        r.error(at, "is empty");
    }
    let mut patterns = Vec::with_capacity(domains.len());
    for (i, domain) in domains.iter().enumerate() {
        let place = at.index(i);
        if r.is_grpc() {
            let star_inside =
                domain.contains('*') && !domain.starts_with('*') && !domain.ends_with('*');
            if domain.is_empty() || star_inside {
                let reason = format!("{} is no domain pattern: left out", quoted(domain));
                r.warn(&place, reason);
                continue;
            }
        } else if !seen.insert(domain.to_ascii_lowercase()) {
            let reason = format!("{} is the domain of two virtual hosts", quoted(domain));
            r.error(&place, reason);
        }
        patterns.push(DomainPattern::from(domain.as_str()));
    }
    patterns
}
