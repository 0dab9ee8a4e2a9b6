//! The shape of every layer of the stack: a service that is always ready and called by reference.
//!
//! The request is lent, not handed on: futures of `async fn`s hold their arguments, and a request in
//! the future of each layer would make all of them together many times its size.
//!
//! Layers are `async fn`s over this trait, not poll-based services: the compiler fuses their futures
//! into one, so that a request crosses them all without a box, a task or a queue, and dropping that
//! one future cancels all of them in order. [`HttpClient`](crate::HttpClient) closes the stack into
//! a `tower` service, with the one box that takes.

use std::future::Future;

use http::Response;
use mesh_core::Error;

use crate::{request::Routed, response::GuardedBody};

/// A layer, or what is below it.
pub(crate) trait Serve: Send + Sync + 'static {
    /// Answers one request. Limits act in here; there is no readiness to wait for beforehand.
    ///
    /// What is sent is taken out of `routed`: afterwards its decision stands and its request may be
    /// empty.
    fn serve(
        &self,
        routed: &mut Routed,
    ) -> impl Future<Output = Result<Response<GuardedBody>, Error>> + Send;
}
