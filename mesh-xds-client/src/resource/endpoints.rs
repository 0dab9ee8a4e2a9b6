//! ClusterLoadAssignments (gRFC A27; Envoy, "ClusterLoadAssignment").

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use mesh_core::config::{
    Address, DropOverload, EndpointConfig, EndpointsConfig, HealthStatus, Locality, LocalityConfig,
};
use mesh_proto::envoy::config::{
    core::v3::HealthStatus as Health,
    endpoint::v3::{
        ClusterLoadAssignment, LbEndpoint, LocalityLbEndpoints, cluster_load_assignment::Policy,
        lb_endpoint::HostIdentifier,
    },
};

use super::{
    Resource,
    at::At,
    reader::{NO_EFFECT, Reader, kept, quoted},
};

/// What the entries of one resource must not repeat.
#[derive(Default)]
struct Seen {
    /// Every address, with its priority.
    addresses: HashSet<(u32, Address)>,
    /// Where a locality stands in the list of those kept.
    localities: HashMap<(u32, Locality), usize>,
    /// Sums of locality weights.
    weights: BTreeMap<u32, u64>,
}

pub(super) fn read(r: &mut Reader<'_>, message: &ClusterLoadAssignment) -> Option<Resource> {
    let config = r.endpoints(&At::ROOT, message);
    Some(Resource::Endpoints(Arc::new(config)))
}

impl Reader<'_> {
    /// Endpoints, also of a cluster that lists its own.
    pub(super) fn endpoints(
        &mut self,
        at: &At<'_>,
        message: &ClusterLoadAssignment,
    ) -> EndpointsConfig {
        let mut seen = Seen::default();
        let mut localities = Vec::with_capacity(message.endpoints.len());
        let list = at.field("endpoints");
        for (i, entry) in message.endpoints.iter().enumerate() {
            self.locality(&list.index(i), entry, &mut seen, &mut localities);
        }
        if self.is_grpc() {
            // gRFC A27: 0 to n - 1, counted after localities without weight were left out.
            for (expected, &found) in (0..).zip(seen.weights.keys()) {
                if found != expected {
                    self.error(&list, format!("priority {expected} is missing"));
                    break;
                }
            }
        }
        let mut config = EndpointsConfig {
            localities,
            ..EndpointsConfig::default()
        };
        if let Some(policy) = &message.policy {
            self.endpoint_policy(&at.field("policy"), policy, &mut config);
        }
        config
    }

    fn locality(
        &mut self,
        at: &At<'_>,
        entry: &LocalityLbEndpoints,
        seen: &mut Seen,
        kept: &mut Vec<LocalityConfig>,
    ) {
        if entry.locality.is_none() && self.is_grpc() {
            self.error(&at.field("locality"), "is missing");
            return;
        }
        let weight = entry.load_balancing_weight;
        if weight.unwrap_or(0) == 0 && self.is_grpc() {
            let reason = "has no weight: the locality is left out";
            self.warn(&at.field("load_balancing_weight"), reason);
            return;
        }
        self.check_locality(at, entry, seen);
        let endpoints = self.lb_endpoints(at, entry, seen);
        let id = place(entry);
        let priority = entry.priority;
        match seen.localities.get(&(priority, id.clone())) {
            Some(_) if self.is_grpc() => {
                let reason = format!(
                    "{} is twice in priority {priority}",
                    quoted(&id.to_string())
                );
                self.error(&at.field("locality"), reason);
            }
            // Envoy makes one of both; the last weight counts.
            Some(&first) => {
                if let Some(first) = kept.get_mut(first) {
                    first.endpoints.extend(endpoints);
                    first.weight = weight.or(first.weight);
                }
            }
            None => {
                seen.localities.insert((priority, id.clone()), kept.len());
                kept.push(LocalityConfig {
                    id,
                    priority,
                    weight,
                    endpoints,
                });
            }
        }
    }

    fn check_locality(&mut self, at: &At<'_>, entry: &LocalityLbEndpoints, seen: &mut Seen) {
        const ENVOY_MAX_PRIORITY: u32 = 128;
        let place = at.field("load_balancing_weight");
        let sum = seen.weights.entry(entry.priority).or_default();
        let before = *sum;
        *sum += u64::from(entry.load_balancing_weight.unwrap_or(0));
        // Said once, where it happens.
        if before <= u64::from(u32::MAX) && *sum > u64::from(u32::MAX) {
            let reason = format!("sum of priority {} exceeds 4,294,967,295", entry.priority);
            self.error(&place, reason);
        }
        if entry.load_balancing_weight == Some(0) {
            self.error(&place, "must be at least 1");
        }
        if entry.priority > ENVOY_MAX_PRIORITY && !self.is_grpc() {
            self.error(&at.field("priority"), "is above 128");
        }
        if entry.lb_config.is_some() {
            if self.is_grpc() {
                self.warn(at, "refers to a list of endpoints, which has no effect");
            } else {
                self.error(
                    at,
                    "refers to a list of endpoints, which is not supported yet",
                );
            }
        }
    }

    fn lb_endpoints(
        &mut self,
        at: &At<'_>,
        entry: &LocalityLbEndpoints,
        seen: &mut Seen,
    ) -> Vec<EndpointConfig> {
        let list = at.field("lb_endpoints");
        let mut sum = 0_u64;
        let mut endpoints = Vec::with_capacity(entry.lb_endpoints.len());
        for (i, endpoint) in entry.lb_endpoints.iter().enumerate() {
            sum += u64::from(endpoint.load_balancing_weight.unwrap_or(1));
            endpoints.extend(self.lb_endpoint(&list.index(i), endpoint, entry.priority, seen));
        }
        if sum > u64::from(u32::MAX) {
            self.error(&list, "have a sum of weights above 4,294,967,295");
        }
        endpoints
    }

    fn lb_endpoint(
        &mut self,
        at: &At<'_>,
        endpoint: &LbEndpoint,
        priority: u32,
        seen: &mut Seen,
    ) -> Option<EndpointConfig> {
        if endpoint.load_balancing_weight == Some(0) {
            self.error(&at.field("load_balancing_weight"), "must be at least 1");
        }
        let at = match &endpoint.host_identifier {
            Some(HostIdentifier::Endpoint(_)) => at.field("endpoint"),
            Some(HostIdentifier::EndpointName(_)) => {
                self.error(&at.field("endpoint_name"), "is not supported");
                return None;
            }
            None => {
                self.error(&at.field("endpoint"), "is missing");
                return None;
            }
        };
        let Some(HostIdentifier::Endpoint(host)) = &endpoint.host_identifier else {
            return None;
        };
        let place = at.field("address");
        let address = self.address(&place, host.address.as_ref());
        let fresh = address
            .as_ref()
            .map(|a| self.fresh(&place, a, priority, seen));
        let list = at.field("additional_addresses");
        if !host.additional_addresses.is_empty() {
            self.warn(&list, NO_EFFECT);
        }
        for (i, additional) in host.additional_addresses.iter().enumerate() {
            let place = list.index(i);
            let place = place.field("address");
            if let Some(address) = self.address(&place, additional.address.as_ref()) {
                self.fresh(&place, &address, priority, seen);
            }
        }
        let health = self.health(endpoint.health_status)?;
        fresh?.then_some(())?;
        Some(EndpointConfig {
            address: address?,
            weight: endpoint.load_balancing_weight.unwrap_or(1).max(1),
            health,
            hostname: kept(&host.hostname),
        })
    }

    /// Whether an address is met for the first time. gRPC refuses a second one anywhere in the
    /// resource; Envoy keeps the first of each priority.
    fn fresh(&mut self, at: &At<'_>, address: &Address, priority: u32, seen: &mut Seen) -> bool {
        let scope = if self.is_grpc() { 0 } else { priority };
        let fresh = seen.addresses.insert((scope, address.clone()));
        if !fresh {
            let reason = format!("{} is given twice", quoted(&address.to_string()));
            if self.is_grpc() {
                self.error(at, reason);
            } else {
                self.warn(at, reason);
            }
        }
        fresh
    }

    /// gRPC uses HEALTHY and UNKNOWN and forgets the rest (gRFC A27). A value that is not known is
    /// not taken for health.
    fn health(&self, status: i32) -> Option<HealthStatus> {
        let status = match Health::try_from(status) {
            Ok(Health::Unknown | Health::Healthy) => HealthStatus::Healthy,
            Ok(Health::Degraded) => HealthStatus::Degraded,
            Ok(Health::Draining) => HealthStatus::Draining,
            Ok(Health::Unhealthy | Health::Timeout) | Err(_) => HealthStatus::Unhealthy,
        };
        (status == HealthStatus::Healthy || !self.is_grpc()).then_some(status)
    }

    fn endpoint_policy(&mut self, at: &At<'_>, policy: &Policy, config: &mut EndpointsConfig) {
        let unused = [
            (
                "endpoint_stale_after",
                policy.endpoint_stale_after.is_some(),
            ),
            ("weighted_priority_health", policy.weighted_priority_health),
        ];
        self.no_effect(at, &unused);
        let place = at.field("overprovisioning_factor");
        match policy.overprovisioning_factor {
            None => {}
            Some(_) if self.is_grpc() => self.warn(&place, "is not read in dialect grpc"),
            Some(0) => self.error(&place, "must be greater than zero"),
            Some(factor) => config.overprovisioning_factor = factor,
        }
        let list = at.field("drop_overloads");
        for (i, overload) in policy.drop_overloads.iter().enumerate() {
            let at = list.index(i);
            let percentage = overload.drop_percentage.unwrap_or_default();
            let fraction = self.fraction(&at.field("drop_percentage"), percentage);
            config.drops.extend(fraction.map(|fraction| DropOverload {
                category: overload.category.as_str().into(),
                fraction,
            }));
        }
    }
}

/// Where a locality is; nowhere in particular if it does not say.
fn place(entry: &LocalityLbEndpoints) -> Locality {
    let Some(locality) = &entry.locality else {
        return Locality::default();
    };
    Locality {
        region: kept(&locality.region),
        zone: kept(&locality.zone),
        sub_zone: kept(&locality.sub_zone),
    }
}
