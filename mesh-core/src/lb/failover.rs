//! gRPC's priorities: the first one that is ready, or may still become so in time (gRFC A56).
//!
//! A state machine without clock or I/O: what goes in is the connectivity of each priority, what
//! comes out is the priority in use and when to ask again.

use std::time::{Duration, Instant};

use crate::runtime::Connectivity;

/// Which priority is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The priority that gets all requests.
    pub chosen: usize,
    /// How many priorities, from the first on, are active: those connect, the others rest.
    pub active: usize,
    /// When the choice may change by itself.
    pub wake: Option<Instant>,
}

/// What the choice of a priority depends on besides the present: timers and what went before.
#[derive(Clone, Debug)]
pub struct FailoverState {
    timeout: Duration,
    children: Vec<Child>,
}

/// A priority as it was last seen.
#[derive(Clone, Copy, Debug, Default)]
struct Child {
    /// `None` while it rests.
    last: Option<Connectivity>,
    /// When it has had long enough to connect; `None` when no timer runs.
    deadline: Option<Instant>,
    /// Whether it was ready or idle more recently than it failed.
    was_well: bool,
}

impl FailoverState {
    /// For priorities that get `timeout` to connect.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            children: Vec::new(),
        }
    }

    /// Changes the timeout for timers that start from now on.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Treats the priority as new: what it now stands for shares nothing with what it stood for.
    pub fn renew(&mut self, priority: usize) {
        if let Some(child) = self.children.get_mut(priority) {
            *child = Child::default();
        }
    }

    /// Chooses among priorities of that connectivity, the preferred one first; `None` if there are
    /// none. [`Connectivity::Failed`] stands for a priority without a usable endpoint as well.
    pub fn choose(&mut self, now: Instant, priorities: &[Connectivity]) -> Option<Choice> {
        self.children.resize(priorities.len(), Child::default());
        let mut chosen = None;
        let mut active = 0;
        for (index, (child, connectivity)) in self.children.iter_mut().zip(priorities).enumerate() {
            active = index + 1;
            child.observe(now, *connectivity, self.timeout);
            let good = matches!(connectivity, Connectivity::Ready | Connectivity::Idle);
            if good || child.deadline.is_some() {
                chosen = Some(index);
                break;
            }
        }
        // Whatever is below the chosen one rests.
        for child in self.children.iter_mut().skip(active) {
            *child = Child::default();
        }
        let chosen = chosen.or_else(|| {
            let connecting = |it: &Connectivity| *it == Connectivity::Connecting;
            let first = priorities.iter().position(connecting);
            first.or(priorities.len().checked_sub(1))
        })?;
        Some(Choice {
            chosen,
            active,
            wake: self.children.iter().filter_map(|it| it.deadline).min(),
        })
    }
}

impl Child {
    /// Takes note of what the priority does now.
    fn observe(&mut self, now: Instant, connectivity: Connectivity, timeout: Duration) {
        let created = self.last.is_none();
        let changed = self.last != Some(connectivity);
        self.last = Some(connectivity);
        match connectivity {
            Connectivity::Ready | Connectivity::Idle => {
                self.was_well = true;
                self.deadline = None;
            }
            Connectivity::Failed => {
                self.was_well = false;
                self.deadline = None;
            }
            Connectivity::Connecting if created || (changed && self.was_well) => {
                // A timeout beyond what the clock can tell is as good as a day.
                let deadline = now.checked_add(timeout);
                self.deadline = Some(deadline.unwrap_or(now + Duration::from_secs(86_400)));
            }
            Connectivity::Connecting => {
                self.deadline = self.deadline.filter(|deadline| now < *deadline);
            }
        }
    }
}
