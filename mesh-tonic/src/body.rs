//! The response body of a channel: errors in it are statuses.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use mesh_core::policy::grpc_status::GrpcCodes;
use mesh_tower::GuardedBody;
use tonic::Status;

use crate::status::status_of;

/// What a generated client reads.
#[derive(Debug)]
pub struct ChannelBody {
    inner: GuardedBody,
    codes: GrpcCodes,
}

impl ChannelBody {
    pub(crate) const fn new(inner: GuardedBody, codes: GrpcCodes) -> Self {
        Self { inner, codes }
    }
}

impl Body for ChannelBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let codes = self.codes;
        Pin::new(&mut self.inner)
            .poll_frame(cx)
            .map_err(|error| status_of(error, codes))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
