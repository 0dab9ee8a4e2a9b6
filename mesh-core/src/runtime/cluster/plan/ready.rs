//! Plans by gRPC's priorities: all requests to the first priority that is ready, or may still
//! become so (gRFC A56), and in it a weighted draw among localities (gRFC A27).

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Answer, Outlook, Plan, Pool, Scene, Turns};
use crate::{
    config::{Failover, HealthStatus, Locality, LocalityMode},
    lb::failover::FailoverState,
    runtime::{
        Connectivity,
        cluster::layout::{Group, Priority},
        endpoint::Standing,
    },
};

/// The state that choosing a priority needs between plans.
pub(in crate::runtime::cluster) struct Ready {
    failover: FailoverState,
    /// The localities that each priority stood for.
    places: Vec<HashSet<Arc<Locality>>>,
}

impl Default for Ready {
    fn default() -> Self {
        Self {
            failover: FailoverState::new(Failover::GRPC_TIMEOUT),
            places: Vec::new(),
        }
    }
}

impl Ready {
    /// Takes note of new endpoints: a priority that shares no locality with what it stood for is a
    /// new one and gets its time to connect.
    pub(in crate::runtime::cluster) fn update(&mut self, priorities: &[Priority]) {
        let places = |it: &Priority| it.localities.iter().map(|it| Arc::clone(&it.id)).collect();
        let now: Vec<HashSet<Arc<Locality>>> = priorities.iter().map(places).collect();
        for (index, (new, old)) in now.iter().zip(&self.places).enumerate() {
            if new.is_disjoint(old) {
                self.failover.renew(index);
            }
        }
        self.places = now;
    }

    pub(super) fn plan(&mut self, scene: &Scene<'_>, timeout: Duration, now: Instant) -> Outlook {
        self.failover.set_timeout(timeout);
        let pools: Vec<Vec<Pool>> = scene.priorities.iter().map(|it| scene.pools(it)).collect();
        let states: Vec<Connectivity> = pools.iter().map(|it| scene.connectivity(it)).collect();
        let Some(choice) = self.failover.choose(now, &states) else {
            return Outlook {
                plan: Plan::all(0, Answer::Empty),
                ..Outlook::default()
            };
        };
        let active = pools[..choice.active].iter().flatten();
        let wanted = active.flat_map(|pool| pool.members.clone()).collect();
        let answer = scene.answer(pools[choice.chosen].clone(), Turns::Drawn);
        Outlook {
            plan: Plan::all(choice.chosen, answer),
            wake: choice.wake,
            wanted,
        }
    }
}

impl Scene<'_> {
    /// The localities of a priority that may get requests: by weight, those without one never.
    fn pools(&self, priority: &Priority) -> Vec<Pool> {
        let healthy = |it: &Group| self.of_health(&it.members, HealthStatus::Healthy);
        let pools = match self.config.lb.locality {
            LocalityMode::Ignore => vec![Pool {
                weight: 1,
                members: priority.localities.iter().flat_map(healthy).collect(),
            }],
            LocalityMode::Weighted => {
                let pool = |it: &Group| Pool {
                    weight: u64::from(it.weight.unwrap_or(0)),
                    members: healthy(it),
                };
                priority.localities.iter().map(pool).collect()
            }
        };
        let used = |pool: &Pool| pool.weight > 0 && !pool.members.is_empty();
        pools.into_iter().filter(used).collect()
    }

    /// The connectivity of a priority as a whole. Where every endpoint is connected beforehand, an
    /// idle one is as good as connecting.
    fn connectivity(&self, pools: &[Pool]) -> Connectivity {
        let members = pools.iter().flat_map(|pool| &pool.members);
        let rank = |it: &u32| {
            let face = self.face(*it);
            match (face.standing, face.connectivity) {
                (Standing::Usable, Connectivity::Ready) => 3,
                (Standing::Usable, Connectivity::Connecting) | (Standing::Waiting, _) => 2,
                (Standing::Usable, _) => 1,
                (Standing::Probing | Standing::Failing, _) => 0,
            }
        };
        match members.map(rank).max() {
            Some(3) => Connectivity::Ready,
            Some(2) => Connectivity::Connecting,
            Some(1) => Connectivity::Idle,
            _ => Connectivity::Failed,
        }
    }
}
