//! A cluster of one mesh: its configuration and picker, and how they are replaced.

mod layout;
mod plan;
mod set;
mod sleep;
mod state;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, OnceLock, PoisonError},
    time::Instant,
};

use arc_swap::ArcSwap;

pub use self::state::ClusterState;
pub(super) use self::{
    layout::Layout,
    plan::{Answer, Plan, Pool, Share},
};
use self::{
    plan::{Outlook, Ready, Scene},
    set::{Found, PickerSet},
};
use super::{Connectivity, Endpoint, Limit, LoadGuard, Pick, Picked, Registry};
use crate::{
    Error, ErrorKind,
    config::{ClusterConfig, ClusterSnapshot, EndpointsConfig, Readiness},
    entropy::Entropy,
    name::ClusterName,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
        watch,
    },
};

/// A cluster of one mesh. `C` holds the mesh's connections to one endpoint.
///
/// It lives as long as the cluster keeps its name and [identity](ClusterConfig::same_identity):
/// policy and endpoints are replaced inside it.
pub struct ClusterRuntime<C> {
    state: Arc<ClusterState>,
    set: ArcSwap<PickerSet<C>>,
    cold: Mutex<Cold<C>>,
    version: AtomicU64,
    /// Made when a request waits for the first time, which most clusters never see.
    news: OnceLock<watch::Sender<u64>>,
}

/// What only rebuilding needs.
struct Cold<C> {
    config: Arc<ClusterConfig>,
    endpoints: Arc<EndpointsConfig>,
    note: Option<Arc<str>>,
    /// `None` while the cluster [sleeps](self::sleep).
    layout: Option<Arc<Layout<C>>>,
    ready: Ready,
    /// When it was given: a pick reads no clock.
    given: Instant,
}

/// What a rebuild asks of its caller.
#[derive(Debug)]
pub struct Rebuilt<C> {
    /// When to rebuild again at the latest; `None` until something is reported.
    pub wake: Option<Instant>,
    /// Endpoints to connect to now ([`Readiness::ConnectFirst`]): those of the priorities in use
    /// that are not ready, unless they failed only just now. They are named at each rebuild until
    /// they are ready, also while they are connecting: that may be another mesh's attempt. A mesh
    /// that is connecting already does nothing.
    pub connect: Vec<Arc<Endpoint<C>>>,
    /// How many endpoints were looked at, which is what it cost.
    pub endpoints: usize,
}

impl<C> ClusterRuntime<C> {
    /// The cluster of `snapshot`, with the live state that `registry` has for it. Call
    /// [`ClusterRuntime::rebuild`] next, to learn what to connect to.
    #[must_use]
    pub fn new(snapshot: &ClusterSnapshot, registry: &Registry, now: Instant) -> Self {
        let state = registry.cluster(&snapshot.config.name);
        let mut cold = Cold::asleep(snapshot.clone(), now);
        if !cold.may_sleep() {
            cold.lay_out(&state);
        }
        let plan = cold.look(now).plan;
        Self {
            state,
            set: ArcSwap::from_pointee(cold.set(plan)),
            cold: Mutex::new(cold),
            version: AtomicU64::new(0),
            news: OnceLock::new(),
        }
    }

    /// Applies new policy and endpoints. Endpoints that stay keep state and slot, unless the
    /// cluster's identity changed. Call [`ClusterRuntime::rebuild`] next.
    pub fn update(&self, snapshot: &ClusterSnapshot, now: Instant) {
        let mut cold = self.lock();
        cold.update(&self.state, snapshot, now);
        let plan = cold.look(now).plan;
        let old = self.set.swap(Arc::new(cold.set(plan)));
        self.announce();
        // Connections that end with the old endpoints end outside the lock.
        drop(cold);
        drop(old);
    }

    /// Looks at connectivity and timers anew. To be called after [`ClusterRuntime::new`] and
    /// [`ClusterRuntime::update`], when [`ClusterState::subscribe`] reports a change, and at
    /// [`Rebuilt::wake`].
    pub fn rebuild(&self, now: Instant) -> Rebuilt<C> {
        let mut cold = self.lock();
        for endpoint in cold.laid_out() {
            endpoint.state().recover(now);
        }
        let Outlook { plan, wake, wanted } = cold.look(now);
        let connect = cold.to_connect(&wanted);
        if plan != self.set.load().plan {
            self.set.store(Arc::new(cold.set(plan)));
        }
        // Also when the plan is the same: a request may have found its endpoint gone for a moment.
        self.announce();
        let endpoints = cold.laid_out();
        let retries = endpoints.iter().filter_map(|it| it.state().retry_at());
        Rebuilt {
            wake: retries.chain(wake).min(),
            connect,
            endpoints: endpoints.len(),
        }
    }

    /// Picks an endpoint for a request: drops, then `max_requests`, then the picker (gRFC A32). A
    /// request that is told to wait has not been drawn for a drop yet.
    pub fn pick(&self, entropy: &Entropy) -> Pick<C> {
        let mut set = self.set.load();
        if set.queues() {
            if !set.is_asleep() {
                return Pick::Queue;
            }
            self.wake();
            set = self.set.load();
            if set.queues() {
                return Pick::Queue;
            }
        }
        for drop in &set.endpoints.drops {
            if drop.fraction.contains(entropy.draw()) {
                return Pick::Drop(drop.clone());
            }
        }
        let leave = self.state.requests.try_add(set.max_requests);
        if !self.state.counted(leave, Limit::Requests) {
            let error = Error::new(
                ErrorKind::Overloaded,
                "too many requests are under way: max_requests is reached",
            );
            return Pick::Fail(error.in_cluster(self.name().as_str()));
        }
        match set.find(entropy) {
            Found::Endpoint(endpoint, state) => Pick::Use(Picked {
                endpoint: Arc::clone(endpoint),
                guard: LoadGuard::of_counted(Arc::clone(state)),
            }),
            Found::Queue => {
                self.state.requests.sub();
                Pick::Queue
            }
            Found::Fail(error) => {
                self.state.requests.sub();
                Pick::Fail(error.in_cluster(self.name().as_str()))
            }
        }
    }

    /// A number that grows with every rebuild and update. To wait without missing one, read it
    /// before picking.
    #[must_use]
    pub fn version(&self) -> u64 {
        // Acquire, with the Release in `announce`: a pick made after reading this version sees at
        // least that version's set.
        self.version.load(Ordering::Acquire)
    }

    /// Waits until the version is not `seen` any more.
    pub async fn changed(&self, seen: u64) {
        let mut news = self.news().subscribe();
        // The sender lives in `self`, so that this ends with news and never with an error.
        let _ = news.wait_for(|version| *version != seen).await;
    }

    /// The policy in use.
    #[must_use]
    pub fn config(&self) -> Arc<ClusterConfig> {
        Arc::clone(&self.set.load().config)
    }

    /// The state that the process shares.
    #[must_use]
    pub fn state(&self) -> &Arc<ClusterState> {
        &self.state
    }

    /// The cluster's name.
    #[must_use]
    pub fn name(&self) -> &ClusterName {
        self.state.name()
    }

    /// Tells those who wait. Called with the lock held, so that versions go up in order.
    fn announce(&self) {
        let version = self.version.load(Ordering::Relaxed) + 1;
        self.version.store(version, Ordering::Release);
        if let Some(news) = self.news.get() {
            news.send_replace(version);
        }
    }

    /// Under the lock nothing is announced between the look at the version and the start of the news.
    fn news(&self) -> &watch::Sender<u64> {
        self.news.get().unwrap_or_else(|| {
            let _announcing = self.lock();
            self.news.get_or_init(|| watch::Sender::new(self.version()))
        })
    }

    /// A panic while the lock was held cannot have left half a layout: each field is replaced as a
    /// whole, and the next rebuild starts from them.
    fn lock(&self) -> MutexGuard<'_, Cold<C>> {
        self.cold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> Cold<C> {
    fn update(&mut self, state: &Arc<ClusterState>, snapshot: &ClusterSnapshot, now: Instant) {
        let same = Arc::ptr_eq(&self.endpoints, &snapshot.endpoints)
            && self.config.same_identity(&snapshot.config);
        self.config = Arc::clone(&snapshot.config);
        self.endpoints = Arc::clone(&snapshot.endpoints);
        self.note = snapshot.note.clone();
        self.given = now;
        let stays = match self.layout {
            Some(_) => same,
            None => self.may_sleep(),
        };
        if !stays {
            self.lay_out(state);
        }
    }

    /// Lays out the endpoints; those that were laid out before keep state and slot.
    fn lay_out(&mut self, state: &Arc<ClusterState>) -> Arc<Layout<C>> {
        let previous = self.layout.as_deref();
        let layout = Layout::new(state, &self.config, &self.endpoints, previous);
        self.ready.update(&layout.priorities);
        let layout = Arc::new(layout);
        self.layout = Some(Arc::clone(&layout));
        layout
    }

    /// The endpoints; none while the cluster sleeps.
    fn laid_out(&self) -> &[Arc<Endpoint<C>>] {
        self.layout.as_ref().map_or(&[], |layout| &layout.endpoints)
    }

    /// Looks at the endpoints as they are now.
    fn look(&mut self, now: Instant) -> Outlook {
        let Some(layout) = &self.layout else {
            return Outlook::default();
        };
        let factor = self.endpoints.overprovisioning_factor;
        let scene = Scene::new(&self.config, factor, layout);
        plan::plan(&scene, &mut self.ready, now)
    }

    fn set(&self, plan: Plan) -> PickerSet<C> {
        PickerSet::new(
            plan,
            self.layout.clone(),
            Arc::clone(&self.config),
            Arc::clone(&self.endpoints),
            self.note.clone(),
        )
    }

    /// Those of the `wanted` endpoints that should be ready and are not, if endpoints are to be
    /// connected beforehand.
    fn to_connect(&self, wanted: &[u32]) -> Vec<Arc<Endpoint<C>>> {
        if self.config.lb.readiness == Readiness::OnDemand {
            return Vec::new();
        }
        let laid_out = self.laid_out();
        let endpoints = wanted.iter().map(|index| &laid_out[*index as usize]);
        endpoints
            .filter(|it| match it.state().connectivity() {
                Connectivity::Idle | Connectivity::Connecting => true,
                // A failed endpoint whose back-off is over is idle by now.
                Connectivity::Ready | Connectivity::Failed => false,
            })
            .cloned()
            .collect()
    }
}

impl<C> fmt::Debug for ClusterRuntime<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterRuntime")
            .field("state", &self.state)
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}
