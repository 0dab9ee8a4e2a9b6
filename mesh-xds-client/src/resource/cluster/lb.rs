//! How a cluster balances, from the fields of the Cluster itself. The list of
//! `load_balancing_policy` goes before the enumeration (gRFC A52; Envoy).

use mesh_core::config::{Failover, LbConfig, LbPolicyConfig, LeastRequestWeights, LocalityMode};
use mesh_proto::envoy::config::{
    cluster::v3::{
        Cluster,
        cluster::{
            CommonLbConfig, LbConfig as Specifics, LbPolicy, LeastRequestLbConfig,
            RingHashLbConfig, common_lb_config::LocalityConfigSpecifier,
            ring_hash_lb_config::HashFunction,
        },
    },
    core::v3::RuntimeDouble,
};

use crate::resource::{
    at::At,
    reader::{NO_EFFECT, Reader},
};

/// Largest ring of gRFC A42 and Envoy.
const MAX_RING_SIZE: u64 = 8 << 20;
/// Smallest ring unless given.
const DEFAULT_MIN_RING_SIZE: u64 = 1024;

impl Reader<'_> {
    /// `delegated`: the choice is not this cluster's (aggregate, original destination).
    pub(super) fn lb(
        &mut self,
        at: &At<'_>,
        cluster: &Cluster,
        delegated: bool,
    ) -> Option<LbConfig> {
        let mut lb = LbConfig::of(self.dialect());
        if let Some(common) = &cluster.common_lb_config {
            self.common_lb(&at.field("common_lb_config"), common, &mut lb);
        }
        match &cluster.load_balancing_policy {
            Some(list) => {
                let at = at.field("load_balancing_policy");
                let chosen = self.lb_list(&at, list, delegated)?;
                lb.policy = chosen.policy;
                lb.locality = chosen.locality;
                if let Failover::Spill { fail_on_panic, .. } = &mut lb.failover {
                    *fail_on_panic |= chosen.fail_on_panic;
                }
            }
            None => lb.policy = self.lb_enum(at, cluster, delegated)?,
        }
        if let Some(subset) = &cluster.lb_subset_config
            && !subset.subset_selectors.is_empty()
        {
            let place = at.field("lb_subset_config");
            if self.is_grpc() {
                self.warn(&place, "is not read in dialect grpc");
            } else {
                self.warn(&place, "is not supported yet: the cluster is unavailable");
                lb.policy = LbPolicyConfig::Unsupported("lb_subset_config".into());
            }
        }
        Some(lb)
    }

    fn lb_enum(
        &mut self,
        at: &At<'_>,
        cluster: &Cluster,
        delegated: bool,
    ) -> Option<LbPolicyConfig> {
        let place = at.field("lb_policy");
        let policy = LbPolicy::try_from(cluster.lb_policy);
        self.slow_start(at, cluster.lb_config.as_ref());
        match policy {
            Ok(LbPolicy::RoundRobin) => Some(LbConfig::of(self.dialect()).policy),
            Ok(LbPolicy::LeastRequest) => {
                let default = LeastRequestLbConfig::default();
                let config = match &cluster.lb_config {
                    Some(Specifics::LeastRequestLbConfig(config)) => config,
                    _ => &default,
                };
                let at = at.field("least_request_lb_config");
                let bias = config.active_request_bias.as_ref();
                self.least_request(&at, config.choice_count, bias)
            }
            Ok(LbPolicy::RingHash) => {
                let config = match &cluster.lb_config {
                    Some(Specifics::RingHashLbConfig(config)) => *config,
                    _ => RingHashLbConfig::default(),
                };
                self.check_ring_hash(&at.field("ring_hash_lb_config"), config);
                Some(self.unsupported_lb(&place, "RING_HASH"))
            }
            Ok(LbPolicy::Random) if !self.is_grpc() => Some(LbPolicyConfig::Random),
            Ok(LbPolicy::Maglev) if !self.is_grpc() => Some(self.unsupported_lb(&place, "MAGLEV")),
            // What Envoy asks of both kinds of cluster.
            Ok(LbPolicy::ClusterProvided) if delegated && !self.is_grpc() => {
                Some(LbConfig::of(self.dialect()).policy)
            }
            Ok(policy) => {
                let reason = format!("{} is not supported here", policy.as_str_name());
                self.error(&place, reason);
                None
            }
            Err(_) => {
                self.error(&place, "is not a known value");
                None
            }
        }
    }

    pub(super) fn unsupported_lb(&mut self, at: &At<'_>, name: &str) -> LbPolicyConfig {
        let reason = format!("{name} is not supported yet: the cluster is unavailable");
        self.warn(at, reason);
        LbPolicyConfig::Unsupported(name.into())
    }

    fn slow_start(&mut self, at: &At<'_>, specifics: Option<&Specifics>) {
        let (field, slow_start) = match specifics {
            Some(Specifics::LeastRequestLbConfig(config)) => (
                "least_request_lb_config",
                config.slow_start_config.is_some(),
            ),
            Some(Specifics::RoundRobinLbConfig(config)) => {
                ("round_robin_lb_config", config.slow_start_config.is_some())
            }
            _ => return,
        };
        if slow_start {
            let at = at.field(field);
            let place = at.field("slow_start_config");
            self.warn(&place, NO_EFFECT);
        }
    }

    /// gRFC A48: 2 unless given, at least 2, cut to 10; weights do not count. Envoy: unequal
    /// weights make a schedule.
    pub(super) fn least_request(
        &mut self,
        at: &At<'_>,
        choice_count: Option<u32>,
        bias: Option<&RuntimeDouble>,
    ) -> Option<LbPolicyConfig> {
        const MAX: u32 = 10;
        let place = at.field("choice_count");
        let choices = choice_count.unwrap_or(2);
        if choices < 2 {
            self.error(&place, format!("{choices} is less than 2"));
            return None;
        }
        if choices > MAX {
            self.warn(&place, format!("{choices} is cut to {MAX}"));
        }
        let weights = if self.is_grpc() {
            LeastRequestWeights::Ignore
        } else {
            let bias = bias.map_or(1.0, |bias| bias.default_value);
            if !bias.is_finite() || bias < 0.0 {
                let place = at.field("active_request_bias");
                self.error(&place.field("default_value"), "must not be negative");
                return None;
            }
            LeastRequestWeights::Schedule { bias }
        };
        Some(LbPolicyConfig::LeastRequest {
            choices: choices.min(MAX),
            weights,
        })
    }

    fn check_ring_hash(&mut self, at: &At<'_>, config: RingHashLbConfig) {
        let known = match HashFunction::try_from(config.hash_function) {
            Ok(HashFunction::XxHash) => true,
            Ok(HashFunction::MurmurHash2) => !self.is_grpc(),
            Err(_) => false,
        };
        if !known {
            self.error(&at.field("hash_function"), "is not supported");
        }
        self.check_ring(at, config.minimum_ring_size, config.maximum_ring_size);
    }

    /// gRFC A42; Envoy has the same bounds.
    pub(super) fn check_ring(&mut self, at: &At<'_>, min: Option<u64>, max: Option<u64>) {
        let sizes = [("minimum_ring_size", min), ("maximum_ring_size", max)];
        for (field, size) in sizes {
            if size.is_some_and(|size| size > MAX_RING_SIZE) {
                self.error(&at.field(field), format!("is above {MAX_RING_SIZE}"));
            }
        }
        if min.unwrap_or(DEFAULT_MIN_RING_SIZE) > max.unwrap_or(MAX_RING_SIZE) {
            let place = at.field("minimum_ring_size");
            self.error(&place, "is above maximum_ring_size");
        }
    }

    /// gRPC ignores all of it but for session affinity, which it has in one implementation.
    fn common_lb(&mut self, at: &At<'_>, common: &CommonLbConfig, lb: &mut LbConfig) {
        let unused = [
            (
                "consistent_hashing_lb_config",
                common.consistent_hashing_lb_config.is_some(),
            ),
            (
                "override_host_status",
                common.override_host_status.is_some(),
            ),
            ("update_merge_window", common.update_merge_window.is_some()),
            (
                "ignore_new_hosts_until_first_hc",
                common.ignore_new_hosts_until_first_hc,
            ),
            (
                "close_connections_on_host_set_change",
                common.close_connections_on_host_set_change,
            ),
        ];
        self.no_effect(at, &unused);
        let Failover::Spill {
            panic_threshold,
            fail_on_panic,
        } = &mut lb.failover
        else {
            return;
        };
        if let Some(percent) = common.healthy_panic_threshold {
            let percent = self.percent(&at.field("healthy_panic_threshold"), percent);
            *panic_threshold = percent.map_or(*panic_threshold, rounded);
        }
        match &common.locality_config_specifier {
            Some(LocalityConfigSpecifier::LocalityWeightedLbConfig(_)) => {
                lb.locality = LocalityMode::Weighted;
            }
            Some(LocalityConfigSpecifier::ZoneAwareLbConfig(zone)) => {
                *fail_on_panic = zone.fail_traffic_on_panic;
                if zone.routing_enabled.is_some() || zone.min_cluster_size.is_some() {
                    let place = at.field("zone_aware_lb_config");
                    self.warn(&place, "zone aware routing has no effect");
                }
            }
            None => {}
        }
    }
}

/// A percentage from 0 to 100 as Envoy rounds it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be within 0 to 100"
)]
fn rounded(percent: f64) -> u8 {
    percent.round() as u8
}
