//! Several clusters with their shares (gRFC A28; Envoy, "WeightedCluster").

use http::HeaderName;
use mesh_core::config::{ClusterChoice, FilterOverrides, WeightedCluster, WeightedClusters};
use mesh_proto::envoy::config::route::v3::{
    WeightedCluster as Message,
    weighted_cluster::{ClusterWeight, RandomValueSpecifier},
};

use super::action::Choice;
use crate::resource::{
    at::At,
    reader::{NO_EFFECT, Reader, quoted},
    unsupported,
};

impl Reader<'_> {
    pub(super) fn weighted_clusters(&mut self, at: &At<'_>, message: &Message) -> Option<Choice> {
        let list = at.field("clusters");
        let mut total = 0_u64;
        let mut refusal = None;
        let mut clusters = Vec::with_capacity(message.clusters.len());
        for (i, entry) in message.clusters.iter().enumerate() {
            let at = list.index(i);
            let weight = self.cluster_weight(&at, entry);
            total += u64::from(weight);
            let unused = unsupported::cluster_weight(entry);
            let refused = self.unused(&at, &unused);
            let refused = refused.or_else(|| self.header_entry(&at, entry));
            // A cluster that gets no request cannot spoil one.
            if weight > 0 {
                refusal = refusal.or(refused);
            }
            clusters.extend(self.weighted_cluster(&at, entry, weight));
        }
        if total == 0 {
            self.error(&list, "have a sum of weights of zero");
        } else if total > u64::from(u32::MAX) {
            self.error(&list, "have a sum of weights above 4,294,967,295");
        }
        if message.total_weight.is_some() {
            let place = at.field("total_weight");
            self.warn(&place, NO_EFFECT);
        }
        let header_name = self.random_header(at, message, &mut refusal);
        Some(refusal.map_or_else(
            || {
                Choice::Cluster(ClusterChoice::Weighted(WeightedClusters {
                    clusters,
                    header_name,
                }))
            },
            Choice::Refuse,
        ))
    }

    /// gRPC reads a weight that is left out as zero, Envoy wants one.
    fn cluster_weight(&mut self, at: &At<'_>, entry: &ClusterWeight) -> u32 {
        if entry.weight.is_none() && !self.is_grpc() {
            self.error(&at.field("weight"), "is missing");
        }
        entry.weight.unwrap_or(0)
    }

    fn weighted_cluster(
        &mut self,
        at: &At<'_>,
        entry: &ClusterWeight,
        weight: u32,
    ) -> Option<WeightedCluster> {
        let by_header = !self.is_grpc() && !entry.cluster_header.is_empty();
        // gRPC skips an entry without weight before it looks at the rest.
        if by_header || (self.is_grpc() && weight == 0) {
            return None;
        }
        let name = self.filled(&at.field("name"), &entry.name);
        let filter_overrides = self.filter_overrides(
            at,
            &entry.typed_per_filter_config,
            &FilterOverrides::default(),
        );
        (weight > 0).then_some(())?;
        Some(WeightedCluster {
            name: name?.into(),
            weight,
            filter_overrides,
        })
    }

    /// An entry whose cluster a request header names.
    fn header_entry(&mut self, at: &At<'_>, entry: &ClusterWeight) -> Option<String> {
        if entry.cluster_header.is_empty() {
            return None;
        }
        let place = at.field("cluster_header");
        if self.is_grpc() {
            self.warn(&place, "is not read in dialect grpc");
            return None;
        }
        if !entry.name.is_empty() {
            self.error(&place, "is given beside a name");
        }
        self.warn(&place, "is not supported yet: requests are refused");
        Some("cluster_header of weighted_clusters is not supported yet".to_owned())
    }

    fn random_header(
        &mut self,
        at: &At<'_>,
        message: &Message,
        refusal: &mut Option<String>,
    ) -> Option<HeaderName> {
        match message.random_value_specifier.as_ref()? {
            _ if self.is_grpc() => {
                let reason = "names a source of random values: not read in dialect grpc";
                self.warn(at, reason);
                None
            }
            RandomValueSpecifier::HeaderName(name) => {
                let at = at.field("header_name");
                let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
                if name.contains(['\0', '\r', '\n']) {
                    let reason = format!("{} is not a header name", quoted(name));
                    self.error(&at, reason);
                } else if parsed.is_none() {
                    // Envoy finds no number there, and throws dice.
                    self.warn(&at, NO_EFFECT);
                }
                parsed
            }
            RandomValueSpecifier::UseHashPolicy(false) => None,
            RandomValueSpecifier::UseHashPolicy(true) => {
                let place = at.field("use_hash_policy");
                self.warn(&place, "is not supported yet: requests are refused");
                refusal.get_or_insert_with(|| "use_hash_policy is not supported yet".to_owned());
                None
            }
        }
    }
}
