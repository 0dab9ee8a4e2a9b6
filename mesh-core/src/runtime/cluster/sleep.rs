//! Clusters that no request has asked for yet.
//!
//! A control plane names all clusters of a mesh, and a program asks for some. Until the first request
//! a cluster is its configuration alone: its endpoints have no state, no slot and no picker, which
//! together are many times as large (Envoy has the same under `enable_deferred_cluster_creation`).
//! From then on it is awake.
//!
//! Nothing is left undone by that: only a cluster sleeps whose endpoints are connected when they are
//! first picked and whose plan has no timers, and one that is asked about is laid out for the answer.

use std::{sync::Arc, time::Instant};

use super::{ClusterRuntime, Cold, Layout, Plan, plan::Ready};
use crate::{
    config::{ClusterConfig, ClusterSnapshot, Failover, Readiness},
    runtime::Connectivity,
};

/// The most endpoints that a sleeping cluster may have. Its first request waits until they are laid
/// out, which takes less than a microsecond for each.
const MAX_ENDPOINTS: usize = 256;

impl<C> Cold<C> {
    /// Of a cluster that sleeps, and is to be woken unless it may.
    pub(super) fn asleep(snapshot: ClusterSnapshot, now: Instant) -> Self {
        let ClusterSnapshot {
            config,
            endpoints,
            note,
        } = snapshot;
        Self {
            config,
            endpoints,
            note,
            layout: None,
            ready: Ready::default(),
            given: now,
        }
    }

    /// Whether nothing need be done for it before its first request.
    pub(super) fn may_sleep(&self) -> bool {
        let lb = &self.config.lb;
        let localities = self.endpoints.localities.iter();
        let endpoints: usize = localities.map(|it| it.endpoints.len()).sum();
        lb.readiness == Readiness::OnDemand
            && matches!(lb.failover, Failover::Spill { .. })
            && endpoints <= MAX_ENDPOINTS
    }
}

impl<C> ClusterRuntime<C> {
    /// Wakes it for its first request; does nothing if another has.
    #[cold]
    pub(super) fn wake(&self) {
        let mut cold = self.lock();
        if cold.layout.is_some() {
            return;
        }
        cold.lay_out(&self.state);
        let given = cold.given;
        let plan = cold.look(given).plan;
        self.set.store(Arc::new(cold.set(plan)));
        // Other meshes may know its endpoints: then this one is to look at their back-off.
        let idle = Connectivity::Idle;
        let news = (cold.laid_out().iter()).any(|it| it.state().connectivity() != idle);
        drop(cold);
        if news {
            self.state.bump();
        }
    }

    /// Reads what a pick would. It goes on sleeping if it does.
    pub(in crate::runtime) fn read<T>(
        &self,
        read: impl FnOnce(&ClusterConfig, &Layout<C>, &Plan) -> T,
    ) -> T {
        let set = self.set.load();
        if let Some(layout) = &set.layout {
            return read(&set.config, layout, &set.plan);
        }
        let snapshot = ClusterSnapshot {
            config: Arc::clone(&set.config),
            endpoints: Arc::clone(&set.endpoints),
            note: set.note.clone(),
        };
        let given = self.lock().given;
        let mut cold = Cold::asleep(snapshot, given);
        let layout = cold.lay_out(&self.state);
        let plan = cold.look(given).plan;
        read(&set.config, &layout, &plan)
    }
}
