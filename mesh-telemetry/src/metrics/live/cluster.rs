//! The live state of a cluster.

use mesh_core::runtime::{ClusterState, Connectivity, Limit};
use metrics::{Counter, Gauge};

use crate::{handle, table};

/// The handles of one cluster.
#[derive(Debug)]
pub(super) struct ClusterHandles {
    requests: Gauge,
    pending: Gauge,
    connections: Gauge,
    retrying: Gauge,
    endpoints: [Gauge; Connectivity::ALL.len()],
    connect_failures: Counter,
    limits: [Counter; Limit::ALL.len()],
}

/// What is under way in all the states of one name.
#[derive(Debug, Default)]
pub(super) struct Sum {
    requests: u32,
    pending: u32,
    connections: u32,
    retrying: u32,
    endpoints: [usize; Connectivity::ALL.len()],
    // How often something went wrong.
    trouble: u64,
}

/// What was counted of one state already.
#[derive(Debug, Default)]
pub(super) struct Published {
    connect_failures: u64,
    limits: [u64; Limit::ALL.len()],
}

impl ClusterHandles {
    pub(super) fn new(cluster: &str) -> Self {
        let gauge = |metric| handle::gauge(metric, &[cluster]);
        Self {
            requests: gauge(&table::REQUESTS),
            pending: gauge(&table::PENDING),
            connections: gauge(&table::CONNECTIONS),
            retrying: gauge(&table::RETRYING),
            endpoints: Connectivity::ALL
                .map(|state| handle::gauge(&table::ENDPOINTS, &[cluster, state.as_str()])),
            connect_failures: handle::counter(&table::CONNECT_FAILURES, &[cluster]),
            limits: Limit::ALL
                .map(|limit| handle::counter(&table::LIMIT_REACHED, &[cluster, limit.as_str()])),
        }
    }

    pub(super) fn set(&self, sum: &Sum) {
        self.requests.set(sum.requests);
        self.pending.set(sum.pending);
        self.connections.set(sum.connections);
        self.retrying.set(sum.retrying);
        for (gauge, &count) in self.endpoints.iter().zip(&sum.endpoints) {
            // More endpoints than a float counts exactly fit into no memory.
            gauge.set(count as f64);
        }
    }
}

impl Sum {
    pub(super) fn add(&mut self, state: &ClusterState) {
        self.requests += state.in_flight();
        self.pending += state.pending();
        self.connections += state.connections();
        self.retrying += state.retries();
        for (sum, count) in self.endpoints.iter_mut().zip(state.endpoints_by_state()) {
            *sum += count;
        }
        self.trouble += state.connect_failures();
        self.trouble += Limit::ALL
            .map(|limit| state.reached(limit))
            .iter()
            .sum::<u64>();
    }

    /// Whether anything happens, or has happened.
    pub(super) fn is_active(&self) -> bool {
        let idle = self.endpoints[Connectivity::Idle as usize];
        let connected = self.endpoints.iter().sum::<usize>() > idle;
        let under_way = self.requests + self.pending + self.connections + self.retrying;
        connected || under_way > 0 || self.trouble > 0
    }
}

impl Published {
    /// Counts what has come since it was last called.
    pub(super) fn count(&mut self, state: &ClusterState, handles: &ClusterHandles) {
        let failures = state.connect_failures();
        let before = std::mem::replace(&mut self.connect_failures, failures);
        handles
            .connect_failures
            .increment(failures.saturating_sub(before));
        for (limit, counter) in Limit::ALL.into_iter().zip(&handles.limits) {
            let reached = state.reached(limit);
            let before = std::mem::replace(&mut self.limits[limit as usize], reached);
            counter.increment(reached.saturating_sub(before));
        }
    }
}
