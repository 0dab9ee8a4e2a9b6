//! One request's way through a chain.

use std::fmt;

use http::{request, response};

use super::{Draws, FilterChain, FilterContext, Slot, Timer, Verdict, VerdictFuture, chain::Entry};
use crate::local_reply::LocalReply;

/// One request's way through a chain. It does no waiting itself; the stack drives it:
///
/// 1. [`FilterRun::on_request`] runs filters until there is a [`Step`].
/// 2. [`Step::Wait`]: await the future and hand its verdict to [`FilterRun::resume`], which goes on
///    to the next step. [`Step::Reroute`]: choose the route again, hand its chain to
///    [`FilterRun::reroute`], and go on with 1. [`Step::Done`]: send the request.
///    [`Step::Reply`]: do not.
/// 3. The answer's head, the service's or the reply's, goes through [`FilterRun::on_response`].
///
/// Nothing is allocated unless a filter keeps state or reroutes.
pub struct FilterRun {
    chain: FilterChain,
    /// Entries of `chain` in `first..next` have let the request pass.
    first: usize,
    next: usize,
    /// Filters whose place in the listener is below this have been passed.
    place: usize,
    /// Whether the entry at `next` has a verdict outstanding.
    waiting: bool,
    /// Chains that the request was in before it was routed again.
    earlier: Vec<Passed>,
    /// By the filter's place in the listener; grows when a filter first asks.
    slots: Vec<Slot>,
    draw: u64,
    grpc: bool,
}

/// The part of a chain that a request has passed.
struct Passed {
    chain: FilterChain,
    first: usize,
    next: usize,
}

/// What is to be done next.
pub enum Step {
    /// Every filter has let the request pass.
    Done,
    /// This is the answer.
    Reply(LocalReply),
    /// The route is to be chosen anew.
    Reroute,
    /// This is to be waited for.
    Wait(VerdictFuture),
}

impl FilterRun {
    /// A request with the random number `draw` in front of `chain`.
    #[must_use]
    pub const fn new(chain: FilterChain, draw: u64, grpc: bool) -> Self {
        Self {
            chain,
            first: 0,
            next: 0,
            place: 0,
            waiting: false,
            earlier: Vec::new(),
            slots: Vec::new(),
            draw,
            grpc,
        }
    }

    /// Runs filters from where the request stands.
    pub fn on_request(&mut self, timer: &dyn Timer, head: &mut request::Parts) -> Step {
        self.advance(None, timer, head)
    }

    /// Goes on with the verdict that came out of a [`Step::Wait`]. A verdict that nobody waits for is
    /// ignored: no filter is passed by mistake.
    pub fn resume(
        &mut self,
        verdict: Verdict,
        timer: &dyn Timer,
        head: &mut request::Parts,
    ) -> Step {
        let verdict = self.waiting.then_some(verdict);
        self.advance(verdict, timer, head)
    }

    /// Goes on in the chain of another scope of the same listener, behind the filters that the
    /// request has passed.
    pub fn reroute(&mut self, chain: FilterChain) {
        if chain.same(&self.chain) {
            return;
        }
        let next = chain
            .entries()
            .partition_point(|entry| entry.place < self.place);
        let old = std::mem::replace(&mut self.chain, chain);
        self.earlier.push(Passed {
            chain: old,
            first: self.first,
            next: self.next,
        });
        self.first = next;
        self.next = next;
        self.waiting = false;
    }

    /// Shows the answer's head to the filters that have let the request pass, last one first.
    pub fn on_response(&mut self, timer: &dyn Timer, head: &mut response::Parts) {
        let now = (&self.chain, self.first, self.next);
        let earlier = self.earlier.iter().rev();
        let passed = earlier.map(|passed| (&passed.chain, passed.first, passed.next));
        for (chain, first, next) in std::iter::once(now).chain(passed) {
            for entry in chain.entries()[first..next].iter().rev() {
                let mut cx = context(&mut self.slots, entry, self.draw, self.grpc, timer);
                entry.filter.on_response(&mut cx, head);
            }
        }
    }

    fn advance(
        &mut self,
        mut verdict: Option<Verdict>,
        timer: &dyn Timer,
        head: &mut request::Parts,
    ) -> Step {
        self.waiting = false;
        while let Some(entry) = self.chain.entries().get(self.next) {
            let verdict = verdict.take().unwrap_or_else(|| {
                let mut cx = context(&mut self.slots, entry, self.draw, self.grpc, timer);
                entry.filter.on_request(&mut cx, head)
            });
            let step = match verdict {
                Verdict::Continue => None,
                Verdict::Edit(edit) => {
                    edit(head);
                    None
                }
                Verdict::Reroute => Some(Step::Reroute),
                Verdict::Reply(reply) => return Step::Reply(reply),
                Verdict::Wait(future) => {
                    self.waiting = true;
                    return Step::Wait(future);
                }
            };
            self.place = entry.place + 1;
            self.next += 1;
            if let Some(step) = step {
                return step;
            }
        }
        Step::Done
    }
}

/// What the filter of `entry` gets to see.
fn context<'a>(
    slots: &'a mut Vec<Slot>,
    entry: &Entry,
    draw: u64,
    grpc: bool,
    timer: &'a dyn Timer,
) -> FilterContext<'a> {
    FilterContext {
        grpc,
        timer,
        draws: Draws::new(draw, entry.place),
        slots,
        place: entry.place,
    }
}

impl fmt::Debug for FilterRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilterRun")
            .field("chain", &self.chain)
            .field("next", &self.next)
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("Done"),
            Self::Reply(reply) => f.debug_tuple("Reply").field(reply).finish(),
            Self::Reroute => f.write_str("Reroute"),
            Self::Wait(_) => f.write_str("Wait(..)"),
        }
    }
}
