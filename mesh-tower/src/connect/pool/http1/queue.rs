//! Requests in line for a connection.

use std::{collections::VecDeque, sync::Arc};

use mesh_core::runtime::PendingPermit;
use tokio::sync::oneshot;

use super::{core::Core, live::Held};
use crate::connect::pool::{DialError, REDIAL};

/// What a request in line gets.
pub(super) type Answer = Result<Held, DialError>;

/// The line, longest waiting first. A request that is given up leaves it.
#[derive(Debug, Default)]
pub(super) struct Queue {
    // By ticket, which only grow.
    waiting: VecDeque<(u64, oneshot::Sender<Answer>)>,
    tickets: u64,
}

/// A request's place in line.
#[derive(Debug)]
pub(super) struct Waiting {
    core: Arc<Core>,
    ticket: u64,
    answer: oneshot::Receiver<Answer>,
    answered: bool,
    _place: PendingPermit,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn join(&mut self) -> (u64, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        self.tickets += 1;
        self.waiting.push_back((self.tickets, sender));
        (self.tickets, receiver)
    }

    pub(super) fn next(&mut self) -> Option<oneshot::Sender<Answer>> {
        self.waiting.pop_front().map(|(_, sender)| sender)
    }

    pub(super) fn all(&mut self) -> Vec<oneshot::Sender<Answer>> {
        let all = self.waiting.drain(..);
        all.map(|(_, sender)| sender).collect()
    }

    pub(super) fn leave(&mut self, ticket: u64) {
        if let Ok(at) = self.waiting.binary_search_by_key(&ticket, |(it, _)| *it) {
            self.waiting.remove(at);
        }
    }
}

impl Waiting {
    pub(super) fn new(
        core: &Arc<Core>,
        (ticket, answer): (u64, oneshot::Receiver<Answer>),
        place: PendingPermit,
    ) -> Self {
        Self {
            core: Arc::clone(core),
            ticket,
            answer,
            answered: false,
            _place: place,
        }
    }

    pub(super) async fn wait(mut self) -> Answer {
        let answer = loop {
            tokio::select! {
                biased;
                answer = &mut self.answer => break answer,
                () = tokio::time::sleep(REDIAL) => self.core.refill(),
            }
        };
        self.answered = true;
        answer.unwrap_or_else(|_| Err(DialError::new("the pool is gone")))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        self.answer.close();
        match self.answer.try_recv() {
            // Given in the very moment of giving up: to the next in line.
            Ok(Ok(held)) => self.core.give(held),
            Ok(Err(_)) => {}
            Err(_) => self.core.leave(self.ticket),
        }
    }
}
