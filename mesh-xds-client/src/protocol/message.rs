//! Messages of either variant of the protocol.

use mesh_proto::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};

/// A request to be sent.
#[derive(Clone, Debug, PartialEq)]
pub enum AdsRequest {
    /// On `StreamAggregatedResources`.
    Sotw(DiscoveryRequest),
    /// On `DeltaAggregatedResources`.
    Delta(DeltaDiscoveryRequest),
}

/// A response that came.
#[derive(Clone, Debug, PartialEq)]
pub enum AdsResponse {
    /// On `StreamAggregatedResources`.
    Sotw(DiscoveryResponse),
    /// On `DeltaAggregatedResources`.
    Delta(DeltaDiscoveryResponse),
}

impl From<DiscoveryResponse> for AdsResponse {
    fn from(response: DiscoveryResponse) -> Self {
        Self::Sotw(response)
    }
}

impl From<DeltaDiscoveryResponse> for AdsResponse {
    fn from(response: DeltaDiscoveryResponse) -> Self {
        Self::Delta(response)
    }
}
