//! Several observers as one.

use std::sync::Arc;

use http::HeaderMap;

use super::{
    AttemptSummary, Call, ControlPlane, Observer, RequestObserver, RequestSummary, Trace, Watch,
};
use crate::{
    name::{ClusterName, Target},
    policy::head::RequestHead,
    runtime::ClusterState,
};

/// Tells each of several observers, in order. Those that watch nothing cost nothing.
#[derive(Clone, Debug, Default)]
pub struct Several(Vec<Arc<dyn Observer>>);

impl Several {
    /// With one more.
    pub fn push(&mut self, observer: Arc<dyn Observer>) {
        self.0.push(observer);
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these are the same observers in the same order, each the very same and not its like.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.0, &other.0);
        mine.len() == theirs.len() && mine.iter().zip(theirs).all(|(a, b)| Arc::ptr_eq(a, b))
    }
}

impl Observer for Several {
    fn watch_target(&self, target: &Target) -> Watch {
        together(self.0.iter().filter_map(|it| it.watch_target(target)))
    }

    fn watch(&self, target: &Target, cluster: &Arc<ClusterState>) -> Watch {
        together(self.0.iter().filter_map(|it| it.watch(target, cluster)))
    }

    fn control_plane(&self, client: Arc<dyn ControlPlane>) {
        for observer in &self.0 {
            observer.control_plane(Arc::clone(&client));
        }
    }

    fn publish(&self) {
        self.0.iter().for_each(|it| it.publish());
    }
}

fn together(watches: impl Iterator<Item = Arc<dyn RequestObserver>>) -> Watch {
    let mut watches: Vec<_> = watches.collect();
    match watches.len() {
        0 | 1 => watches.pop(),
        _ => Some(Arc::new(Watches(watches.into()))),
    }
}

#[derive(Debug)]
struct Watches(Box<[Arc<dyn RequestObserver>]>);

impl RequestObserver for Watches {
    fn watches(&self) -> bool {
        self.0.iter().any(|it| it.watches())
    }

    fn traces(&self) -> bool {
        self.0.iter().any(|it| it.traces())
    }

    fn begin(&self, head: &RequestHead<'_>) -> Option<Box<dyn Trace>> {
        let tracing = self.0.iter().filter(|it| it.traces());
        let mut traces = tracing.filter_map(|it| it.begin(head));
        let first = traces.next()?;
        match traces.next() {
            None => Some(first),
            Some(second) => {
                let traces = [first, second].into_iter().chain(traces);
                Some(Box::new(Traces(traces.collect())))
            }
        }
    }

    fn attempt_started(&self, call: Call) {
        self.0.iter().for_each(|it| it.attempt_started(call));
    }

    fn attempt_ended(&self, attempt: &AttemptSummary<'_>) {
        self.0.iter().for_each(|it| it.attempt_ended(attempt));
    }

    fn ended(&self, request: &RequestSummary<'_>) {
        self.0.iter().for_each(|it| it.ended(request));
    }
}

#[derive(Debug)]
struct Traces(Vec<Box<dyn Trace>>);

impl Trace for Traces {
    fn routed(&mut self, route: &str, cluster: &ClusterName) {
        self.0.iter_mut().for_each(|it| it.routed(route, cluster));
    }

    fn attempt_started(&mut self, number: u32, headers: &mut HeaderMap) {
        self.0
            .iter_mut()
            .for_each(|it| it.attempt_started(number, headers));
    }

    fn attempt_ended(&mut self, attempt: &AttemptSummary<'_>) {
        self.0.iter_mut().for_each(|it| it.attempt_ended(attempt));
    }

    fn ended(&mut self, request: &RequestSummary<'_>) {
        self.0.iter_mut().for_each(|it| it.ended(request));
    }
}
