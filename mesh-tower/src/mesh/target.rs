//! What is live of one target.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use mesh_core::{
    Error, ErrorKind,
    config::Snapshot,
    name::Target,
    observe::{Observer, Watch},
    policy::{grpc_status::GrpcCodes, head::RequestHead},
    runtime::View,
};
use tokio::sync::watch;

use super::{Mesh, apply::Clusters};
use crate::{
    clock,
    connect::{Pool, Pools},
    request::Decision,
};

/// How long a request without a deadline waits for the first configuration.
pub(super) const FIRST_VIEW: Duration = Duration::from_secs(15);

const NOT_DRIVEN: &str = "the mesh's driver does not run: spawn it, or build the mesh by spawn()";

/// A target's view and how it stands; held by its channels and clients.
#[derive(Debug)]
pub(crate) struct TargetCell {
    name: Target,
    view: ArcSwapOption<View<Pool>>,
    standing: watch::Sender<Standing>,
    driven: AtomicBool,
    // Of requests for which no cluster is chosen.
    watch: Watch,
    clusters: Arc<Clusters>,
    // Keeps the mesh and its driver as long as somebody uses the target.
    mesh: Mesh,
}

/// What a request learns that finds no view.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// There may be one soon; the text says what is missing.
    Pending(Arc<str>),
    /// There is one.
    Ready,
    /// There is none, for this reason.
    Absent(Arc<str>),
}

impl TargetCell {
    pub(super) fn new(name: Target, clusters: Arc<Clusters>, mesh: Mesh) -> Arc<Self> {
        Arc::new(Self {
            watch: clusters.observers().watch_target(&name),
            name,
            view: ArcSwapOption::empty(),
            standing: watch::Sender::new(Standing::Pending("waiting for its configuration".into())),
            driven: AtomicBool::new(false),
            clusters,
            mesh,
        })
    }

    pub(crate) const fn name(&self) -> &Target {
        &self.name
    }

    /// Who is told of requests for which no cluster is chosen.
    pub(crate) const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The gRPC codes under which observers are told of failures.
    pub(crate) fn codes(&self) -> GrpcCodes {
        self.mesh.0.codes
    }

    /// The policy in force: the one load of a request.
    pub(crate) fn view(&self) -> Option<Arc<View<Pool>>> {
        self.view.load_full()
    }

    /// Waits for a view, from a request that arrived at `arrival` and may take `own` in all.
    pub(crate) async fn wait(
        &self,
        arrival: Instant,
        own: Option<Duration>,
    ) -> Result<Arc<View<Pool>>, Error> {
        let limit = own.unwrap_or(FIRST_VIEW);
        let mut standing = self.standing.subscribe();
        let found = async {
            loop {
                // Marked as seen before the view is looked at, so that no change is missed.
                let now = standing.borrow_and_update().clone();
                if let Some(view) = self.view() {
                    return Ok(view);
                }
                if let Standing::Absent(reason) = now {
                    let text = format!("no configuration: {reason}");
                    return Err(Error::new(ErrorKind::NotReady, text));
                }
                if standing.changed().await.is_err() {
                    return Err(Error::new(ErrorKind::Internal, "the mesh is gone"));
                }
            }
        };
        tokio::select! {
            biased;
            found = found => found,
            () = self.mesh.driver_gone() => Err(Error::new(ErrorKind::NotReady, NOT_DRIVEN)),
            () = clock::sleep_until(arrival.checked_add(limit)) => Err(self.not_ready(own)),
        }
    }

    /// Chooses route and cluster anew for a request whose head a filter has changed. Its deadline and
    /// its random number stay. Gives who watches that cluster.
    pub(crate) fn redecide(
        &self,
        head: &RequestHead<'_>,
        decision: &mut Decision,
    ) -> Result<Watch, Error> {
        let view = self.view().ok_or_else(|| self.not_ready(None))?;
        let chosen = view.decide(head, decision.draw)?;
        decision.route = chosen.route;
        decision.cluster = chosen.cluster;
        decision.filters = chosen.filters;
        Ok(chosen.watch)
    }

    fn not_ready(&self, own: Option<Duration>) -> Error {
        let kind = match own {
            Some(_) => ErrorKind::StreamDeadline,
            None => ErrorKind::NotReady,
        };
        // Relaxed: only an explanation depends on it.
        if !self.driven.load(Ordering::Relaxed) {
            return Error::new(kind, NOT_DRIVEN);
        }
        let missing = match &*self.standing.borrow() {
            Standing::Pending(missing) | Standing::Absent(missing) => Arc::clone(missing),
            Standing::Ready => "".into(),
        };
        let text = format!("no configuration in time: {missing}");
        Error::new(kind, text)
    }

    /// The driver has this target in its care.
    pub(super) fn driven(&self) {
        self.driven.store(true, Ordering::Relaxed);
    }

    /// Puts a view in force.
    pub(super) fn publish(&self, view: Arc<View<Pool>>) {
        self.view.store(Some(view));
        self.standing.send_replace(Standing::Ready);
    }

    /// Has no view, or no longer.
    pub(super) fn stand(&self, standing: Standing) {
        if matches!(standing, Standing::Absent(_)) {
            self.view.store(None);
        }
        self.standing.send_replace(standing);
    }

    /// Puts a snapshot in force, after `applied`.
    pub(super) fn apply(&self, applied: Option<&Snapshot>, snapshot: &Snapshot) {
        self.clusters.apply(self, applied, snapshot);
    }

    /// Resolves when the target is dropped; does not keep it.
    pub(super) fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut standing = self.standing.subscribe();
        async move { while standing.changed().await.is_ok() {} }
    }

    /// Resolves when what is known of the target changes.
    pub(super) fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut standing = self.standing.subscribe();
        async move {
            // An error means that the target is gone, and so is whoever waits.
            let _ = standing.changed().await;
        }
    }

    pub(crate) fn pools(&self) -> &Pools {
        self.clusters.pools()
    }

    /// The next request's random number.
    pub(crate) fn draw(&self) -> u64 {
        self.clusters.draw()
    }
}
