//! The shape of every layer of the stack: a service that is always ready and called by reference.
//!
//! Layers are `async fn`s over this trait, not poll-based services: the compiler fuses their futures
//! into one, so that a request crosses them all without a box, a task or a queue, and dropping that
//! one future cancels all of them in order. [`HttpClient`](crate::HttpClient) closes the stack into
//! a `tower` service, with the one box that takes.

use std::future::Future;

use mesh_core::Error;

/// A layer, or what is below it.
pub(crate) trait Serve<Request>: Send + Sync + 'static {
    /// What it answers.
    type Response: Send;

    /// Answers one request. Limits act in here; there is no readiness to wait for beforehand.
    fn serve(&self, request: Request)
    -> impl Future<Output = Result<Self::Response, Error>> + Send;
}
