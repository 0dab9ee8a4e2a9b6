//! Balancing: who gets the next request.
//!
//! A [`Picker`] chooses among equals. It is built off the request path for a fixed list of
//! endpoints and replaced when the list changes; picking takes no lock and allocates nothing. What
//! stands above it is arithmetic over counts and weights: [`locality`] shares a priority among
//! localities, [`priority`] and [`failover`] choose the priority.

pub mod failover;
pub mod locality;
pub mod priority;

mod least_request;
mod random;
mod round_robin;
mod schedule;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::{
    config::{LbPolicyConfig, LeastRequestWeights},
    entropy::Entropy,
};

pub(crate) use self::random::Weighted;
pub use self::{
    least_request::{LeastRequest, WeightedLeastRequest},
    random::Random,
    round_robin::RoundRobin,
    schedule::Schedule,
};

/// Chooses among the endpoints that it was built for.
pub trait Picker: fmt::Debug + Send + Sync {
    /// The index of the endpoint to use. Called again for the same request if that one has failed
    /// in the meantime.
    fn pick(&self, cx: &PickContext<'_>, loads: &dyn Loads) -> usize;
}

/// What a pick may depend on.
#[derive(Clone, Copy, Debug)]
pub struct PickContext<'a> {
    /// Where random numbers come from.
    pub entropy: &'a Entropy,
}

/// The live load of the endpoints that a picker was built for.
pub trait Loads {
    /// The requests under way at the endpoint of that index; 0 for an index out of range.
    fn active(&self, index: usize) -> u32;
}

/// The picker that `policy` asks for, over endpoints of these weights. `None` if the policy is one
/// that we cannot do, or there is no endpoint.
///
/// `start` is where rotations begin; a random number, so that clients do not move in step.
#[must_use]
pub fn picker(policy: &LbPolicyConfig, weights: &[u32], start: u64) -> Option<Box<dyn Picker>> {
    let count = weights.len();
    if count == 0 {
        return None;
    }
    let weighted = weights.windows(2).any(|pair| pair[0] != pair[1]);
    let schedule = || Schedule::new(weights.iter().map(|weight| u64::from(*weight)), start);
    Some(match policy {
        LbPolicyConfig::RoundRobin { weighted: true } if weighted => {
            Box::new(RoundRobin::weighted(schedule()?))
        }
        LbPolicyConfig::RoundRobin { .. } => Box::new(RoundRobin::new(count, start)),
        LbPolicyConfig::LeastRequest {
            weights: LeastRequestWeights::Schedule { bias },
            ..
        } if weighted => Box::new(WeightedLeastRequest::new(schedule()?, *bias)),
        LbPolicyConfig::LeastRequest { choices, .. } => {
            Box::new(LeastRequest::new(count, *choices))
        }
        LbPolicyConfig::Random => Box::new(Random::new(count)),
        LbPolicyConfig::Unsupported(_) => return None,
    })
}

/// A number below `bound`, uniform if `draw` is (Lemire's multiplication; the bias is below
/// `bound` / 2^64). 0 if `bound` is 0.
pub(crate) fn below(draw: u64, bound: u64) -> u64 {
    let product = u128::from(draw) * u128::from(bound);
    u64::try_from(product >> 64).unwrap_or(0)
}

/// Like [`below`], for indices.
pub(crate) fn index_below(draw: u64, bound: usize) -> usize {
    let bound = u64::try_from(bound).unwrap_or(u64::MAX);
    usize::try_from(below(draw, bound)).unwrap_or(0)
}

/// Two indices below `bound`, each by half of the draw; the bias is below `bound` / 2^32, and a pool
/// has fewer members than that.
pub(crate) fn two_below(draw: u64, bound: usize) -> (usize, usize) {
    let bound = bound as u64;
    let index = |half: u64| usize::try_from(half.wrapping_mul(bound) >> 32).unwrap_or(0);
    (index(draw >> 32), index(draw & 0xffff_ffff))
}
