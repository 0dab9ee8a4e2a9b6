//! Plans by Envoy's priorities: load by health, panic, locality weights.

use super::{Answer, Outlook, Plan, Pool, Scene, Share, Turns};
use crate::{
    config::{HealthStatus, LocalityMode},
    lb::{
        locality::effective_weight,
        priority::{Census, spill as loads},
    },
    runtime::cluster::layout::{Group, Priority},
};

/// The plan by health. Connections that failed do not count in health; they only keep their
/// endpoints from being picked while others can be.
pub(super) fn spill(scene: &Scene<'_>, panic_threshold: u8, fail_on_panic: bool) -> Outlook {
    let census: Vec<Census> = scene.priorities.iter().map(|it| scene.census(it)).collect();
    let loads = loads(&census, scene.factor, panic_threshold);
    let mut plan = Plan::default();
    let mut wanted = Vec::new();
    for degraded in [false, true] {
        for (index, (load, priority)) in loads.iter().zip(scene.priorities).enumerate() {
            let percent = if degraded {
                load.degraded
            } else {
                load.healthy
            };
            if percent == 0 {
                continue;
            }
            let health = match (load.panic, degraded) {
                (true, _) => None,
                (false, false) => Some(HealthStatus::Healthy),
                (false, true) => Some(HealthStatus::Degraded),
            };
            wanted.extend(scene.one_pool(priority, health).members);
            let answer = match health {
                Some(health) => scene.healthy(priority, health),
                None if fail_on_panic => Answer::Panic,
                // All endpoints, and no locality weights (Envoy's panic).
                None => scene.answer(vec![scene.one_pool(priority, None)], Turns::Scheduled),
            };
            plan.shares.push(Share {
                priority: index,
                percent,
                degraded,
                panic: load.panic,
                answer,
            });
        }
    }
    // It stays, and mostly is one share.
    plan.shares.shrink_to_fit();
    Outlook {
        plan,
        wake: None,
        wanted,
    }
}

impl Scene<'_> {
    fn census(&self, priority: &Priority) -> Census {
        let mut census = Census::default();
        for member in priority.localities.iter().flat_map(|it| &it.members) {
            census.total += 1;
            match self.face(*member).health {
                HealthStatus::Healthy => census.healthy += 1,
                HealthStatus::Degraded => census.degraded += 1,
                HealthStatus::Unhealthy => {}
                HealthStatus::Draining => census.excluded += 1,
            }
        }
        census
    }

    /// What requests for the endpoints of that health get.
    fn healthy(&self, priority: &Priority, health: HealthStatus) -> Answer {
        let by_locality = match self.config.lb.locality {
            LocalityMode::Ignore => Vec::new(),
            LocalityMode::Weighted => priority
                .localities
                .iter()
                .map(|it| self.pool(it, health))
                .filter(|pool| pool.weight > 0)
                .collect(),
        };
        // Where no locality has a weight, weights are not used at all (Envoy).
        let pools = match by_locality.is_empty() {
            true => vec![self.one_pool(priority, Some(health))],
            false => by_locality,
        };
        self.answer(pools, Turns::Scheduled)
    }

    /// A locality's endpoints of that health, with its effective weight.
    fn pool(&self, locality: &Group, health: HealthStatus) -> Pool {
        let members = self.of_health(&locality.members, health);
        let excluded = self.of_health(&locality.members, HealthStatus::Draining);
        let counted = locality.members.len() - excluded.len();
        let weight = locality.weight.unwrap_or(0);
        Pool {
            weight: effective_weight(weight, members.len(), counted, self.factor),
            members,
        }
    }

    /// All endpoints of a priority, of that health or of any.
    fn one_pool(&self, priority: &Priority, health: Option<HealthStatus>) -> Pool {
        let members = priority.localities.iter().flat_map(|it| match health {
            Some(health) => self.of_health(&it.members, health),
            None => it.members.clone(),
        });
        Pool {
            weight: 1,
            members: members.collect(),
        }
    }

    pub(super) fn of_health(&self, members: &[u32], health: HealthStatus) -> Vec<u32> {
        let fits = |it: &u32| self.face(*it).health == health;
        members.iter().copied().filter(fits).collect()
    }
}
