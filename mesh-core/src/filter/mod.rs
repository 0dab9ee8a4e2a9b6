//! HTTP filters: what a listener's chain does to each request before it is sent, and to each answer.
//!
//! xDS orders filters at run time, so they are data and no layers. A [`FilterChain`] is built once
//! for each scope of overrides; a request that goes through one has a [`FilterRun`], which the
//! asynchronous stack drives. Filters of the user's own are registered in a [`FilterRegistry`] under
//! the type URL of their configuration.

mod active;
mod chain;
mod fault;
mod registry;
mod run;

use std::{
    any::Any,
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{request, response};

pub use self::{
    active::{ActiveFault, ActiveFaults},
    chain::{FilterChain, FilterChains},
    registry::{FilterFactory, FilterRegistry},
    run::{FilterRun, Step},
};
use crate::{entropy::mix, local_reply::LocalReply, policy::head::RequestHead};

/// One filter, shared by all requests.
pub trait HttpFilter: fmt::Debug + Send + Sync + 'static {
    /// Looks at a request's head, and may change it. Filters run in the order of the chain.
    fn on_request(&self, cx: &mut FilterContext<'_>, head: &mut request::Parts) -> Verdict;

    /// Looks at the answer's head, and may change it. Filters run in reverse order, and only those
    /// that have let the request pass. Does nothing by default.
    fn on_response(&self, cx: &mut FilterContext<'_>, head: &mut response::Parts) {
        let _ = (cx, head);
    }

    /// Whether the filter leaves this request and its answer alone. A request that all filters of its
    /// chain leave alone is sent past the chain, and none of them sees it. It is asked with the random
    /// numbers of [`HttpFilter::on_request`], and has to be true of what that would do. No by default.
    fn is_idle(&self, draws: Draws, head: &RequestHead<'_>) -> bool {
        let _ = (draws, head);
        false
    }

    /// What the filter needs of the bodies; asked when a chain is built. Nothing by default.
    fn body_mode(&self) -> BodyMode {
        BodyMode::None
    }
}

/// What a filter needs of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyMode {
    /// Nothing: it sees heads only, and bodies pass it by.
    #[default]
    None,
}

/// What a filter makes of a request.
pub enum Verdict {
    /// It goes on to the next filter.
    Continue,
    /// It goes no further: this is the answer, which still passes the filters in front of this one.
    Reply(LocalReply),
    /// The head has changed so that another route may take it: the route is chosen anew, and then
    /// the request goes on to the next filter.
    Reroute,
    /// It goes on to the next filter with its head changed: for verdicts that come out of a wait,
    /// where the head cannot be held.
    Edit(Box<dyn FnOnce(&mut request::Parts) + Send>),
    /// It waits; what comes out is the filter's verdict. Dropping the future, when the caller gives
    /// up, ends the wait.
    Wait(VerdictFuture),
}

/// Put into a request's extensions: says afterwards whether a fault has delayed it. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct DelayNote(Arc<AtomicBool>);

impl DelayNote {
    fn write(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the request was delayed.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A verdict to wait for.
pub type VerdictFuture = Pin<Box<dyn Future<Output = Verdict> + Send>>;

impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Continue => f.write_str("Continue"),
            Self::Reply(reply) => f.debug_tuple("Reply").field(reply).finish(),
            Self::Reroute => f.write_str("Reroute"),
            Self::Edit(_) => f.write_str("Edit(..)"),
            Self::Wait(_) => f.write_str("Wait(..)"),
        }
    }
}

/// The clock of the runtime that drives the filters.
pub trait Timer: Send + Sync {
    /// Ends after `duration`.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The random numbers of one request for one filter.
#[derive(Clone, Copy, Debug)]
pub struct Draws(u64);

impl Draws {
    /// Those of a request with the random number `draw`, for the filter at `place` of its listener's
    /// list: two filters of one kind decide independently.
    const fn new(draw: u64, place: usize) -> Self {
        Self(mix(draw ^ mix(place as u64)))
    }

    /// A random number, uniform over 64 bits and always the same for the same `purpose`; those of
    /// different purposes are independent.
    #[must_use]
    pub const fn draw(self, purpose: u64) -> u64 {
        mix(self.0 ^ mix(purpose))
    }
}

/// What a filter may know and keep beside the head.
pub struct FilterContext<'a> {
    /// Whether the request is of gRPC.
    pub grpc: bool,
    /// For waits.
    pub timer: &'a dyn Timer,
    draws: Draws,
    slots: &'a mut Vec<Slot>,
    place: usize,
}

/// What one filter keeps for one request; empty until asked for.
type Slot = Option<Box<dyn Any + Send>>;

impl FilterContext<'_> {
    /// A random number of this request and filter, uniform over 64 bits and always the same for the
    /// same `purpose`; those of different purposes are independent.
    #[must_use]
    pub const fn draw(&self, purpose: u64) -> u64 {
        self.draws.draw(purpose)
    }

    /// What this filter keeps for this request, from `on_request` to `on_response`; made on first
    /// use, and made anew when asked for as another type.
    pub fn state<T: Any + Send + Default>(&mut self) -> &mut T {
        if self.slots.len() <= self.place {
            self.slots.resize_with(self.place + 1, || None);
        }
        let slot = &mut self.slots[self.place];
        if !slot.as_ref().is_some_and(|kept| kept.is::<T>()) {
            *slot = Some(Box::<T>::default());
        }
        let kept = slot.as_mut().and_then(|kept| kept.downcast_mut());
        #[expect(
            clippy::expect_used,
            reason = "the slot holds a T: it was put there above"
        )]
        kept.expect("the slot holds this type")
    }
}

impl fmt::Debug for FilterContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilterContext")
            .field("grpc", &self.grpc)
            .field("draws", &self.draws)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
