//! From configuration and live state to a plan: which endpoints may be picked, in which shares.
//!
//! A plan is plain data, compared with the one before it: where nothing changed the picker stays,
//! and with it the place that each rotation has reached.

mod ready;
mod spill;

use std::{sync::Arc, time::Instant};

pub(super) use self::ready::Ready;
use self::spill::spill;
use super::layout::{Layout, Priority};
use crate::{
    config::{ClusterConfig, Failover, HealthStatus, LbPolicyConfig},
    runtime::{Connectivity, Endpoint, endpoint::Standing},
};

/// What to do with requests, by share. Percents add up to 100; without a share there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::runtime) struct Plan {
    pub(in crate::runtime) shares: Vec<Share>,
}

/// A plan and what comes with it.
#[derive(Debug, Default)]
pub(super) struct Outlook {
    pub(in crate::runtime) plan: Plan,
    /// When the plan may change without anything being reported.
    pub(in crate::runtime) wake: Option<Instant>,
    /// The endpoints of the priorities in use, which are connected beforehand if any are.
    pub(in crate::runtime) wanted: Vec<u32>,
}

/// A share of the requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::runtime) struct Share {
    /// Index of the priority.
    pub(in crate::runtime) priority: usize,
    pub(in crate::runtime) percent: u32,
    /// Whether it goes to degraded endpoints.
    pub(in crate::runtime) degraded: bool,
    /// Whether health is ignored.
    pub(in crate::runtime) panic: bool,
    pub(in crate::runtime) answer: Answer,
}

/// What requests of a share get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::runtime) enum Answer {
    /// An endpoint of one of these, shared by weight.
    Serve {
        pools: Vec<Pool>,
        /// The candidates that may not be picked now, in case all others fail before the next plan.
        spare: Vec<u32>,
        turns: Turns,
    },
    /// They wait: endpoints are connecting.
    Queue,
    /// They fail: these endpoints cannot be reached.
    Unreachable(Vec<u32>),
    /// They fail: there is no endpoint to be used.
    Empty,
    /// They fail: so few endpoints are healthy that health is not to be trusted, and the
    /// configuration wants failure then.
    Panic,
    /// They fail: the policy is one that we cannot do.
    Unsupported(Arc<str>),
}

/// Endpoints that are picked from as equals, or by their own weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::runtime) struct Pool {
    pub(in crate::runtime) weight: u64,
    pub(in crate::runtime) members: Vec<u32>,
}

/// How pools share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::runtime) enum Turns {
    /// In exact proportion (Envoy).
    Scheduled,
    /// At random (gRPC).
    Drawn,
}

/// What a plan is made from.
pub(super) struct Scene<'a> {
    pub(super) config: &'a ClusterConfig,
    pub(super) factor: u32,
    pub(super) priorities: &'a [Priority],
    /// By index of the endpoint.
    pub(super) endpoints: Vec<Face>,
}

/// An endpoint as a plan sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Face {
    pub(super) health: HealthStatus,
    pub(super) standing: Standing,
    pub(super) connectivity: Connectivity,
}

impl<'a> Scene<'a> {
    /// Looks at all endpoints once, so that the plan rests on one view of them.
    pub(super) fn new<C>(config: &'a ClusterConfig, factor: u32, layout: &'a Layout<C>) -> Self {
        let readiness = config.lb.readiness;
        let face = |endpoint: &Arc<Endpoint<C>>| {
            let reported = endpoint.state().reported();
            Face {
                health: endpoint.config().health,
                standing: reported.standing(readiness),
                connectivity: reported.connectivity,
            }
        };
        Self {
            config,
            factor,
            priorities: &layout.priorities,
            endpoints: layout.endpoints.iter().map(face).collect(),
        }
    }

    fn face(&self, index: u32) -> Face {
        self.endpoints[index as usize]
    }

    /// What a share gets whose candidates are `pools`: those among them that may be picked now.
    fn answer(&self, mut pools: Vec<Pool>, turns: Turns) -> Answer {
        let all = |pools: &[Pool]| -> Vec<u32> {
            let members = pools.iter().flat_map(|pool| &pool.members);
            members.copied().collect()
        };
        let candidates = all(&pools);
        let some = |standing| {
            let mut faces = candidates.iter().map(|it| self.face(*it).standing);
            faces.any(|it| it == standing)
        };
        let wanted = if candidates.is_empty() {
            return Answer::Empty;
        } else if some(Standing::Usable) {
            Standing::Usable
        } else if some(Standing::Probing) {
            Standing::Probing
        } else if some(Standing::Waiting) {
            return Answer::Queue;
        } else {
            return Answer::Unreachable(candidates);
        };
        for pool in &mut pools {
            pool.members.retain(|it| self.face(*it).standing == wanted);
        }
        pools.retain(|pool| !pool.members.is_empty());
        let spare = candidates.into_iter();
        let spare = spare.filter(|it| self.face(*it).standing != wanted);
        Answer::Serve {
            pools,
            spare: spare.collect(),
            turns,
        }
    }
}

/// Makes the plan of the moment.
pub(super) fn plan(scene: &Scene<'_>, ready: &mut Ready, now: Instant) -> Outlook {
    if let LbPolicyConfig::Unsupported(name) = &scene.config.lb.policy {
        return Outlook {
            plan: Plan::all(0, Answer::Unsupported(Arc::clone(name))),
            ..Outlook::default()
        };
    }
    match scene.config.lb.failover {
        Failover::Spill {
            panic_threshold,
            fail_on_panic,
        } => spill(scene, panic_threshold, fail_on_panic),
        Failover::Ready { timeout } => ready.plan(scene, timeout, now),
    }
}

impl Plan {
    /// One answer for all, from one priority.
    fn all(priority: usize, answer: Answer) -> Self {
        Self {
            shares: vec![Share {
                priority,
                percent: 100,
                degraded: false,
                panic: false,
                answer,
            }],
        }
    }
}
