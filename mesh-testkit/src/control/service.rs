//! The ADS service over the plane's state.

use std::sync::Arc;

use http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use mesh_proto::envoy::service::discovery::v3::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
use mesh_proto::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use tonic::{Status, Streaming};
use tower_service::Service;

use super::delta::Delta;
use super::front::{Responses, run};
use super::plane::Plane;
use super::sotw::Sotw;
use crate::net::{Answer, Answering, Failure};

/// Both ADS methods. Made by [`ControlPlane::service`](super::ControlPlane::service).
#[derive(Clone, Debug)]
pub struct AdsService {
    plane: Arc<Plane>,
}

impl AdsService {
    pub(super) fn new(plane: Arc<Plane>) -> Self {
        Self { plane }
    }
}

#[tonic::async_trait]
impl AggregatedDiscoveryService for AdsService {
    type StreamAggregatedResourcesStream = Responses<DiscoveryResponse>;

    async fn stream_aggregated_resources(
        &self,
        request: tonic::Request<Streaming<DiscoveryRequest>>,
    ) -> Result<tonic::Response<Self::StreamAggregatedResourcesStream>, Status> {
        let responses = run::<Sotw>(Arc::clone(&self.plane), request.into_inner())?;
        Ok(tonic::Response::new(responses))
    }

    type DeltaAggregatedResourcesStream = Responses<DeltaDiscoveryResponse>;

    async fn delta_aggregated_resources(
        &self,
        request: tonic::Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<tonic::Response<Self::DeltaAggregatedResourcesStream>, Status> {
        let responses = run::<Delta>(Arc::clone(&self.plane), request.into_inner())?;
        Ok(tonic::Response::new(responses))
    }
}

impl Answer for AdsService {
    fn answer(self: Arc<Self>, _: u64, request: Request<Incoming>) -> Answering {
        let mut server = AggregatedDiscoveryServiceServer::from_arc(self);
        Box::pin(async move {
            let response = server.call(request).await;
            let response = response.map_err(|never| Failure(Box::new(never)))?;
            Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
        })
    }
}
