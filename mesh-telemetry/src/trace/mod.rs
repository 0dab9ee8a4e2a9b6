//! Spans for `tracing`, and trace context for the services that are called.

mod context;
mod span;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use mesh_core::{
    name::Target,
    observe::{Observer, RequestObserver, Trace, Watch},
    policy::head::RequestHead,
    runtime::ClusterState,
};

pub use self::context::TraceContext;
use self::{context::Incoming, span::RequestSpan};

/// Makes a span of each request (level info) and each attempt (level debug), both with the target
/// `mesh`, and carries W3C trace context: each attempt is sent with a `traceparent` of its own, in the
/// trace of the request that its caller handed in, or in a new one.
///
/// Where nobody collects the spans a request costs one look, and its headers are sent as they are,
/// unless [`Self::always_propagate`] was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceObserver {
    always: bool,
}

impl TraceObserver {
    /// An observer that does what there is a subscriber for.
    #[must_use]
    pub const fn new() -> Self {
        Self { always: false }
    }

    /// Gives each attempt a span id of its own also where nobody collects spans, if the request
    /// belongs to a trace.
    #[must_use]
    pub const fn always_propagate(mut self) -> Self {
        self.always = true;
        self
    }

    fn watched(self, target: &Target) -> Watch {
        Some(Arc::new(Watched {
            target: target.clone(),
            always: self.always,
        }))
    }
}

impl Observer for TraceObserver {
    fn watch_target(&self, target: &Target) -> Watch {
        self.watched(target)
    }

    fn watch(&self, target: &Target, _: &Arc<ClusterState>) -> Watch {
        self.watched(target)
    }
}

#[derive(Debug)]
struct Watched {
    target: Target,
    always: bool,
}

impl RequestObserver for Watched {
    fn watches(&self) -> bool {
        self.always || span::is_wanted()
    }

    fn traces(&self) -> bool {
        self.watches()
    }

    fn begin(&self, head: &RequestHead<'_>) -> Option<Box<dyn Trace>> {
        let span = span::of_request(&self.target, head);
        if span.is_disabled() && !self.always {
            return None;
        }
        let incoming = Incoming::read(head.headers);
        if span.is_disabled() && incoming == Incoming::None {
            return None;
        }
        Some(Box::new(RequestSpan::new(span, incoming)))
    }
}
