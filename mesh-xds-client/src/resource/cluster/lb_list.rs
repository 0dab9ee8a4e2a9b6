//! The list of `load_balancing_policy`: the first entry that we can do is taken (gRFC A52; Envoy,
//! "LoadBalancingPolicy").

use mesh_core::config::{LbConfig, LbPolicyConfig, LocalityMode};
use mesh_proto::{
    Any,
    envoy::{
        config::cluster::v3::LoadBalancingPolicy,
        extensions::load_balancing_policies::{
            client_side_weighted_round_robin::v3::ClientSideWeightedRoundRobin,
            cluster_provided::v3::ClusterProvided,
            common::v3::{LocalityLbConfig, locality_lb_config::LocalityConfigSpecifier},
            least_request::v3::{LeastRequest, least_request::SelectionMethod},
            maglev::v3::Maglev,
            override_host::v3::OverrideHost,
            pick_first::v3::PickFirst,
            random::v3::Random,
            ring_hash::v3::{RingHash, ring_hash::HashFunction},
            round_robin::v3::RoundRobin,
            subset::v3::Subset,
            wrr_locality::v3::WrrLocality,
        },
    },
};

use crate::resource::{
    at::At,
    reader::{NO_EFFECT, Reader, quoted},
};

/// What an entry asks for.
pub(super) struct Chosen {
    pub(super) policy: LbPolicyConfig,
    pub(super) locality: LocalityMode,
    pub(super) fail_on_panic: bool,
}

impl Chosen {
    const fn plain(policy: LbPolicyConfig) -> Self {
        Self {
            policy,
            locality: LocalityMode::Ignore,
            fail_on_panic: false,
        }
    }
}

/// Why an entry is not taken.
enum Skipped {
    /// Of a type that is not known: the list is there for that.
    Unknown,
    /// It is wrong, which has been noted.
    Wrong,
}

/// gRFC A52.
const MAX_DEPTH: u32 = 16;

impl Reader<'_> {
    pub(super) fn lb_list(
        &mut self,
        at: &At<'_>,
        list: &LoadBalancingPolicy,
        delegated: bool,
    ) -> Option<Chosen> {
        self.first_of(at, list, delegated, 1)
    }

    /// An entry that is known and cannot be done is taken if nothing better follows: it leaves the
    /// cluster unavailable, where refusing the resource would leave an old one in place.
    fn first_of(
        &mut self,
        at: &At<'_>,
        list: &LoadBalancingPolicy,
        delegated: bool,
        depth: u32,
    ) -> Option<Chosen> {
        if depth > MAX_DEPTH {
            self.error(at, format!("is nested deeper than {MAX_DEPTH}"));
            return None;
        }
        let policies = at.field("policies");
        let mut fallback = None;
        for (i, policy) in list.policies.iter().enumerate() {
            let at = policies.index(i);
            let at = at.field("typed_extension_config");
            let at = at.field("typed_config");
            let extension = policy.typed_extension_config.as_ref();
            let Some(any) = extension.and_then(|extension| extension.typed_config.as_ref()) else {
                self.error(&at, "is missing");
                return None;
            };
            match self.lb_entry(&at, any, delegated, depth) {
                Ok(Chosen {
                    policy: LbPolicyConfig::Unsupported(name),
                    locality,
                    fail_on_panic,
                }) => {
                    fallback.get_or_insert(Chosen {
                        policy: LbPolicyConfig::Unsupported(name),
                        locality,
                        fail_on_panic,
                    });
                }
                Ok(chosen) => return Some(chosen),
                Err(Skipped::Unknown) => {
                    let reason = format!("{} is not known here: skipped", quoted(&any.type_url));
                    self.warn(&at, reason);
                }
                Err(Skipped::Wrong) => return None,
            }
        }
        if fallback.is_none() {
            self.error(&policies, "hold no policy that is known here");
        }
        fallback
    }

    fn lb_entry(
        &mut self,
        at: &At<'_>,
        any: &Any,
        delegated: bool,
        depth: u32,
    ) -> Result<Chosen, Skipped> {
        if any.is::<RoundRobin>() {
            let config: RoundRobin = self.unpack(at, any).ok_or(Skipped::Wrong)?;
            self.slow_start_config(at, config.slow_start_config.is_some());
            let mut chosen = Chosen::plain(LbConfig::of(self.dialect()).policy);
            self.locality_lb(at, config.locality_lb_config.as_ref(), &mut chosen);
            return Ok(chosen);
        }
        if any.is::<LeastRequest>() {
            return self.least_request_entry(at, any);
        }
        if any.is::<WrrLocality>() {
            let config: WrrLocality = self.unpack(at, any).ok_or(Skipped::Wrong)?;
            let place = at.field("endpoint_picking_policy");
            let Some(list) = &config.endpoint_picking_policy else {
                self.error(&place, "is missing");
                return Err(Skipped::Wrong);
            };
            let child = self.first_of(&place, list, false, depth + 1);
            return child.ok_or(Skipped::Wrong).map(|child| Chosen {
                locality: LocalityMode::Weighted,
                ..child
            });
        }
        if self.is_grpc() {
            self.undoable_entry(at, any)
        } else {
            self.envoy_entry(at, any, delegated)
        }
    }

    fn least_request_entry(&mut self, at: &At<'_>, any: &Any) -> Result<Chosen, Skipped> {
        let config: LeastRequest = self.unpack(at, any).ok_or(Skipped::Wrong)?;
        self.slow_start_config(at, config.slow_start_config.is_some());
        if config.selection_method == SelectionMethod::FullScan as i32
            || config.enable_full_scan == Some(true)
        {
            let place = at.field("selection_method");
            self.warn(
                &place,
                "FULL_SCAN has no effect: some are compared, not all",
            );
        }
        let policy = self
            .least_request(at, config.choice_count, config.active_request_bias.as_ref())
            .ok_or(Skipped::Wrong)?;
        let mut chosen = Chosen::plain(policy);
        self.locality_lb(at, config.locality_lb_config.as_ref(), &mut chosen);
        Ok(chosen)
    }

    /// Policies of Envoy alone.
    fn envoy_entry(&mut self, at: &At<'_>, any: &Any, delegated: bool) -> Result<Chosen, Skipped> {
        if any.is::<Random>() {
            let config: Random = self.unpack(at, any).ok_or(Skipped::Wrong)?;
            let mut chosen = Chosen::plain(LbPolicyConfig::Random);
            self.locality_lb(at, config.locality_lb_config.as_ref(), &mut chosen);
            return Ok(chosen);
        }
        if any.is::<ClusterProvided>() {
            if !delegated {
                self.error(at, "CLUSTER_PROVIDED is not supported here");
                return Err(Skipped::Wrong);
            }
            return Ok(Chosen::plain(LbConfig::of(self.dialect()).policy));
        }
        for (known, name) in [
            (any.is::<Maglev>(), "maglev"),
            (any.is::<Subset>(), "subset"),
            (any.is::<OverrideHost>(), "override_host"),
        ] {
            if known {
                return Ok(Chosen::plain(self.unsupported_lb(at, name)));
            }
        }
        self.undoable_entry(at, any)
    }

    /// Policies of gRPC and Envoy that we know and cannot do.
    fn undoable_entry(&mut self, at: &At<'_>, any: &Any) -> Result<Chosen, Skipped> {
        let name = if any.is::<RingHash>() {
            let config: RingHash = self.unpack(at, any).ok_or(Skipped::Wrong)?;
            let known = match HashFunction::try_from(config.hash_function) {
                Ok(HashFunction::DefaultHash | HashFunction::XxHash) => true,
                Ok(HashFunction::MurmurHash2) => !self.is_grpc(),
                Err(_) => false,
            };
            if !known {
                self.error(&at.field("hash_function"), "is not supported");
            }
            self.check_ring(at, config.minimum_ring_size, config.maximum_ring_size);
            "ring_hash"
        } else if any.is::<PickFirst>() {
            self.unpack::<PickFirst>(at, any).ok_or(Skipped::Wrong)?;
            "pick_first"
        } else if any.is::<ClientSideWeightedRoundRobin>() {
            let config = self.unpack(at, any).ok_or(Skipped::Wrong)?;
            self.check_client_side_wrr(at, &config);
            "client_side_weighted_round_robin"
        } else {
            return Err(Skipped::Unknown);
        };
        Ok(Chosen::plain(self.unsupported_lb(at, name)))
    }

    /// gRFC A58.
    fn check_client_side_wrr(&mut self, at: &At<'_>, config: &ClientSideWeightedRoundRobin) {
        let durations = [
            ("oob_reporting_period", &config.oob_reporting_period),
            ("blackout_period", &config.blackout_period),
            ("weight_expiration_period", &config.weight_expiration_period),
            ("weight_update_period", &config.weight_update_period),
        ];
        for (field, duration) in durations {
            self.optional_duration(&at.field(field), duration.as_ref());
        }
        let penalty = config.error_utilization_penalty.unwrap_or(1.0);
        if !penalty.is_finite() || penalty < 0.0 {
            let place = at.field("error_utilization_penalty");
            self.error(&place, "must not be negative");
        }
    }

    fn slow_start_config(&mut self, at: &At<'_>, set: bool) {
        if set {
            let place = at.field("slow_start_config");
            self.warn(&place, NO_EFFECT);
        }
    }

    /// Envoy's way to weigh localities inside an entry; gRPC's is `wrr_locality` around it.
    fn locality_lb(&mut self, at: &At<'_>, config: Option<&LocalityLbConfig>, into: &mut Chosen) {
        let place = at.field("locality_lb_config");
        match config.and_then(|config| config.locality_config_specifier.as_ref()) {
            None => {}
            Some(_) if self.is_grpc() => self.warn(&place, "is not read in dialect grpc"),
            Some(LocalityConfigSpecifier::LocalityWeightedLbConfig(_)) => {
                into.locality = LocalityMode::Weighted;
            }
            Some(LocalityConfigSpecifier::ZoneAwareLbConfig(zone)) => {
                into.fail_on_panic = zone.fail_traffic_on_panic;
                self.warn(&place, "zone aware routing has no effect");
            }
        }
    }
}
