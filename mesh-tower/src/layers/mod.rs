//! Layers that stand alone: one fixed policy each, over plain requests of any `tower` service.
//!
//! They do what the layers of the mesh do, by the same code, for a program that has no control plane
//! or wants one policy around a client of its own. Each is always ready and cheap to clone: the
//! service inside is cloned for each attempt, and its readiness is waited for within the call. Each
//! fails with [`mesh_core::Error`].
//!
//! | layer | what it does |
//! |---|---|
//! | [`RetryLayer`] | sends again what a policy says, and what never left |
//! | [`TimeoutLayer`] | bounds an exchange, or an answer |
//! | [`BalanceLayer`] | spreads requests over a fixed set of services |
//!
//! What is inside them takes an `http::Request` with a [`RequestBody`](crate::body::RequestBody),
//! the one body that can be sent again.

mod balance;
mod inner;
mod retry;
mod timed;
mod timeout;

use std::{future::Future, pin::Pin};

use mesh_core::Error;

pub use self::{
    balance::{Balance, BalanceLayer, CountedBody},
    retry::{Retry, RetryLayer},
    timed::TimedBody,
    timeout::{Timeout, TimeoutLayer},
};

/// The future of every layer here.
pub type LayerFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;
