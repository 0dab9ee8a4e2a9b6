//! The built-in filter that delays and aborts requests (gRFC A33; Envoy: "Fault Injection").

use std::sync::Arc;

use http::request;

use super::{ActiveFaults, DelayNote, Draws, FilterContext, HttpFilter, Verdict};
use crate::{
    config::{Dialect, FaultConfig, MatchRules},
    policy::{
        fault::{FaultDraws, Faults},
        head::RequestHead,
        matcher::header,
    },
};

/// Injects the faults of one configuration.
#[derive(Debug)]
pub(super) struct FaultFilter {
    config: Arc<FaultConfig>,
    active: ActiveFaults,
}

impl FaultFilter {
    pub(super) const fn new(config: Arc<FaultConfig>, active: ActiveFaults) -> Self {
        Self { config, active }
    }

    /// The faults of a request, if there is a place for them.
    fn faults(&self, draws: Draws, head: &RequestHead<'_>) -> Faults {
        let draws = FaultDraws {
            delay: draws.draw(0),
            abort: draws.draw(1),
        };
        let faults = self.config.faults(head.headers, draws);
        if faults == Faults::default() || !self.concerns(head) {
            return Faults::default();
        }
        faults
    }

    /// Whether a request satisfies all conditions of the configuration.
    fn concerns(&self, head: &RequestHead<'_>) -> bool {
        let rules = MatchRules::of(Dialect::Envoy);
        let mut conditions = self.config.headers.iter();
        conditions.all(|condition| header::matches(condition, head, rules))
    }
}

impl HttpFilter for FaultFilter {
    /// Delays, then aborts. A fault that finds no place below `max_active` does not happen. The place
    /// is held to the end of the delay.
    fn on_request(&self, cx: &mut FilterContext<'_>, head: &mut request::Parts) -> Verdict {
        let faults = self.faults(cx.draws, &RequestHead::of_parts(head));
        if faults == Faults::default() {
            return Verdict::Continue;
        }
        let Some(place) = self.active.enter(self.config.max_active) else {
            return Verdict::Continue;
        };
        let verdict = move |delayed| {
            faults.abort.map_or(Verdict::Continue, |abort| {
                Verdict::Reply(abort.reply(delayed))
            })
        };
        match faults.delay {
            None => verdict(false),
            Some(delay) => {
                if let Some(note) = head.extensions.get::<DelayNote>() {
                    note.write();
                }
                let sleep = cx.timer.sleep(delay);
                Verdict::Wait(Box::pin(async move {
                    sleep.await;
                    drop(place);
                    verdict(true)
                }))
            }
        }
    }

    fn is_idle(&self, draws: Draws, head: &RequestHead<'_>) -> bool {
        self.faults(draws, head) == Faults::default()
    }
}
