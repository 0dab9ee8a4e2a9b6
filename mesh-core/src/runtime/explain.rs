//! What a cluster's picker would do and why, for people: tests, admin pages, logs.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    ClusterRuntime, Connectivity, Endpoint,
    cluster::{Answer, Layout, Pool, Share},
};
use crate::{
    config::{HealthStatus, LbConfig, Locality},
    name::{ClusterName, EndpointKey},
};

/// A cluster of one mesh at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterExplanation {
    /// Its name.
    pub name: ClusterName,
    /// How it balances.
    pub lb: LbConfig,
    /// Requests under way.
    pub in_flight: u32,
    /// Requests that may be under way at once.
    pub max_requests: u32,
    /// Where requests go.
    pub shares: Vec<ShareExplanation>,
    /// The endpoints, by priority and locality.
    pub localities: Vec<LocalityExplanation>,
}

/// A share of a cluster's requests and what happens to it.
#[derive(Clone, Debug, Serialize)]
pub struct ShareExplanation {
    /// How large it is, in percent.
    pub percent: u32,
    /// The priority that it goes to.
    pub priority: u32,
    /// Whether it goes to that priority's degraded endpoints.
    pub degraded: bool,
    /// Whether health is ignored because so few are healthy.
    pub panic: bool,
    /// How many endpoints may be picked, and by which weights localities share.
    pub answer: String,
}

/// A locality and its endpoints.
#[derive(Clone, Debug, Serialize)]
pub struct LocalityExplanation {
    /// The place.
    pub id: Locality,
    /// Its priority.
    pub priority: u32,
    /// Its configured weight.
    pub weight: Option<u32>,
    /// Its endpoints.
    pub endpoints: Vec<EndpointExplanation>,
}

/// An endpoint.
#[derive(Clone, Debug, Serialize)]
pub struct EndpointExplanation {
    /// What tells it from the others.
    pub key: EndpointKey,
    /// Its configured weight.
    pub weight: u32,
    /// What the control plane says of it.
    pub health: HealthStatus,
    /// The state of its connections.
    pub connectivity: Connectivity,
    /// How long it will be left alone, if it failed.
    pub retry_in: Option<Duration>,
    /// Why the last attempt to connect failed, if one ever did.
    pub last_error: Option<Arc<str>>,
    /// Requests under way.
    pub in_flight: u32,
    /// Requests that ended well.
    pub successes: u64,
    /// Requests that it failed.
    pub failures: u64,
}

impl<C> ClusterRuntime<C> {
    /// What the present picker does, and the endpoints that it does it with.
    #[must_use]
    pub fn explain(&self, now: Instant) -> ClusterExplanation {
        self.read(|config, layout, plan| ClusterExplanation {
            name: self.name().clone(),
            lb: config.lb.clone(),
            in_flight: self.state().in_flight(),
            max_requests: config.limits.max_requests,
            shares: plan.shares.iter().map(|it| share(it, layout)).collect(),
            localities: localities(layout, now),
        })
    }
}

fn share<C>(share: &Share, layout: &Layout<C>) -> ShareExplanation {
    let priority = layout.priorities.get(share.priority);
    ShareExplanation {
        percent: share.percent,
        priority: priority.map_or(0, |it| it.number),
        degraded: share.degraded,
        panic: share.panic,
        answer: answer(&share.answer),
    }
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Serve { pools, spare, .. } => {
            let left_out = match spare.len() {
                0 => String::new(),
                count => format!("; {} left out", endpoints(count)),
            };
            format!("picked among {}{left_out}", among(pools))
        }
        Answer::Queue => "waits: endpoints are connecting".into(),
        Answer::Unreachable(members) => {
            format!("fails: of {} none can be reached", endpoints(members.len()))
        }
        Answer::Empty => "fails: no healthy endpoint".into(),
        Answer::Panic => "fails: too few healthy endpoints".into(),
        Answer::Unsupported(name) => format!("fails: policy {name} is not supported"),
    }
}

fn among(pools: &[Pool]) -> String {
    if let [only] = pools {
        return endpoints(only.members.len());
    }
    let total: u64 = pools.iter().map(|pool| pool.weight).sum();
    let share = |pool: &Pool| {
        let percent = 100.0 * pool.weight as f64 / total as f64;
        format!("{} ({percent:.1} %)", endpoints(pool.members.len()))
    };
    let shares: Vec<String> = pools.iter().map(share).collect();
    format!("localities of {}", shares.join(", "))
}

fn endpoints(count: usize) -> String {
    match count {
        1 => "1 endpoint".into(),
        _ => format!("{count} endpoints"),
    }
}

fn localities<C>(layout: &Layout<C>, now: Instant) -> Vec<LocalityExplanation> {
    let endpoint = |index: &u32| endpoint(&layout.endpoints[*index as usize], now);
    let mut localities = Vec::new();
    for priority in &layout.priorities {
        for group in &priority.localities {
            localities.push(LocalityExplanation {
                id: Locality::clone(&group.id),
                priority: priority.number,
                weight: group.weight,
                endpoints: group.members.iter().map(endpoint).collect(),
            });
        }
    }
    localities
}

fn endpoint<C>(endpoint: &Endpoint<C>, now: Instant) -> EndpointExplanation {
    let state = endpoint.state();
    let remaining = |at: Instant| at.saturating_duration_since(now);
    EndpointExplanation {
        key: state.key().clone(),
        weight: endpoint.config().weight,
        health: endpoint.config().health,
        connectivity: state.connectivity(),
        retry_in: state.retry_at().map(remaining),
        last_error: state.last_error(),
        in_flight: state.in_flight(),
        successes: state.successes(),
        failures: state.failures(),
    }
}

impl fmt::Display for ClusterExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (in_flight, max) = (self.in_flight, self.max_requests);
        writeln!(
            f,
            "cluster {}: {in_flight} of {max} requests in flight",
            self.name
        )?;
        for share in &self.shares {
            write!(f, "  {} % to priority {}", share.percent, share.priority)?;
            f.write_str(if share.degraded { ", degraded" } else { "" })?;
            f.write_str(if share.panic { ", in panic" } else { "" })?;
            writeln!(f, ": {}", share.answer)?;
        }
        for locality in &self.localities {
            write!(
                f,
                "  priority {}, locality {}",
                locality.priority, locality.id
            )?;
            match locality.weight {
                Some(weight) => writeln!(f, ", weight {weight}:")?,
                None => writeln!(f, ", no weight:")?,
            }
            for endpoint in &locality.endpoints {
                writeln!(f, "    {endpoint}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for EndpointExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {:?}, {:?}, weight {}, {} in flight, {} succeeded, {} failed",
            self.key,
            self.health,
            self.connectivity,
            self.weight,
            self.in_flight,
            self.successes,
            self.failures
        )?;
        if let Some(wait) = self.retry_in {
            write!(f, ", tried again in {:.1} s", wait.as_secs_f64())?;
        }
        match &self.last_error {
            Some(error) => write!(f, ", last error: {error}"),
            None => Ok(()),
        }
    }
}
