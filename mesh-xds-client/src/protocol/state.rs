//! The state machine itself: streams, time, events. Its parts: what is wanted (`subscribe`), what is
//! sent (`request`), what comes (`apply`), what goes (`absent`).

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use mesh_core::{config::ConfigErrors, error::OneLine};
use mesh_proto::Any;

use super::{
    AdsConfig, Counters, Event, canonical,
    config::RetentionPolicy,
    link::{Ended, Link},
    nack,
    wire::Wire,
};
use crate::{
    bootstrap::ServerFeatures,
    resource::ResourceType,
    store::{Answer, Entry, ErrorKind, ErrorState, Store},
};

/// Gives meaning to a resource.
pub trait Decode {
    /// What a resource means; cheap to clone.
    type Value;

    /// Decodes and validates one resource of type `kind`. `resource` has that type already, shares
    /// its buffer with nothing else, and is given only if its bytes are not those in use.
    ///
    /// # Errors
    /// All that is wrong with it: it is refused, and the last good value stays.
    fn decode(&self, kind: ResourceType, resource: &Any) -> Result<Self::Value, ConfigErrors>;
}

/// The state of one client towards one control plane.
#[derive(Debug)]
pub struct AdsState<D: Decode> {
    pub(super) config: AdsConfig,
    pub(super) retention: RetentionPolicy,
    pub(super) decoder: D,
    pub(super) store: Store<D::Value>,
    pub(super) wires: [Wire; ResourceType::ALL.len()],
    pub(super) link: Link,
    /// Whether the stream's first request, which carries the node, was handed out.
    pub(super) introduced: bool,
    /// When which resource counts as absent. Empty unless the stream is open.
    pub(super) timers: BTreeSet<(Instant, ResourceType, Arc<str>)>,
    pub(super) changed: BTreeSet<(ResourceType, Arc<str>)>,
    pub(super) connection_error: Option<ErrorState>,
    pub(super) connection_changed: bool,
    pub(super) counters: Counters,
}

impl<D: Decode> AdsState<D> {
    /// A state that knows nothing and wants nothing.
    pub fn new(config: AdsConfig, decoder: D) -> Self {
        Self {
            retention: RetentionPolicy::of(config.dialect, config.features),
            decoder,
            store: Store::default(),
            wires: std::array::from_fn(|_| Wire::default()),
            link: Link::new(config.seed),
            introduced: false,
            timers: BTreeSet::new(),
            changed: BTreeSet::new(),
            connection_error: None,
            connection_changed: false,
            counters: Counters::default(),
            config,
        }
    }

    /// Turns to another control plane, as on fallback (gRFC A71): everything cached stays in use,
    /// but its versions mean nothing to the new server, and the stream begins anew at once.
    pub fn switch_server(&mut self, features: ServerFeatures) {
        self.config.features = features;
        self.retention = RetentionPolicy::of(self.config.dialect, features);
        self.end_stream();
        self.link.reset();
        // It was about the other server.
        self.connection_changed |= self.connection_error.take().is_some();
        for kind in ResourceType::ALL {
            self.wires[kind as usize].version = Arc::from("");
            self.store
                .of_mut(kind)
                .values_mut()
                .for_each(Entry::forget_version);
        }
    }

    /// The stream is open.
    pub fn handle_connected(&mut self, _now: Instant) {
        self.end_stream();
        self.link.open();
    }

    /// The stream ended, or could not be opened, for `reason`.
    ///
    /// After a message that is nothing but a reason to open another (gRFC A57); before one it is a
    /// failure of the connection.
    pub fn handle_closed(&mut self, now: Instant, reason: &str) {
        match self.link.close(now) {
            Ended::NotOpen => {}
            Ended::Served => self.end_stream(),
            Ended::Failed => {
                self.end_stream();
                self.counters.failures += 1;
                self.counters.outages += u64::from(self.connection_error.is_none());
                let error = ErrorState {
                    kind: ErrorKind::Connection,
                    details: self.describe(format_args!("control plane: {reason}")),
                    version: Arc::from(""),
                    rejected: None,
                    at: now,
                };
                if !self
                    .connection_error
                    .as_ref()
                    .is_some_and(|old| old.repeats(&error))
                {
                    self.connection_error = Some(error);
                    self.connection_changed = true;
                }
            }
        }
    }

    /// Time has passed: opens the way to a connection, and lets the resources that were not sent
    /// in time be absent.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.link.expire(now);
        self.wires.iter_mut().for_each(|wire| wire.expire(now));
        while self.timers.first().is_some_and(|(due, ..)| *due <= now) {
            if let Some((_, kind, name)) = self.timers.pop_first() {
                self.time_out(kind, &name, now);
            }
        }
    }

    /// The next thing to act on.
    pub fn poll_event(&mut self) -> Option<Event> {
        if self.has_names() && self.link.start() {
            return Some(Event::Connect);
        }
        if std::mem::take(&mut self.connection_changed) {
            return Some(Event::Connection);
        }
        let (kind, name) = self.changed.pop_first()?;
        Some(Event::Changed { kind, name })
    }

    /// When to call [`Self::handle_timeout`] at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timer = self.timers.first().map(|(due, ..)| *due);
        let held = self.wires.iter().filter_map(Wire::held_until).min();
        self.link
            .timeout()
            .into_iter()
            .chain(timer)
            .chain(held)
            .min()
    }

    /// Whether the next response may be read from the stream: all that the last one brought has
    /// been taken, and its answer is on the way (gRFC A57's flow control).
    pub fn wants_response(&self) -> bool {
        self.link.is_live()
            && self.changed.is_empty()
            && !self.connection_changed
            && !ResourceType::ALL
                .into_iter()
                .any(|kind| self.owes_request(kind))
    }

    /// What a resource is good for. `None` if nobody subscribed to it.
    pub fn answer(&self, kind: ResourceType, name: &str) -> Option<Answer<'_, D::Value>> {
        let entry = self.resource(kind, name)?;
        Some(entry.answer(self.connection_error.as_ref()))
    }

    /// All that is known of a resource. `None` if nobody subscribed to it.
    pub fn resource(&self, kind: ResourceType, name: &str) -> Option<&Entry<D::Value>> {
        let entry = self.store.get(kind, &canonical(name))?;
        (!entry.is_lingering()).then_some(entry)
    }

    /// Everything subscribed to, by kind and then by name.
    pub fn resources(&self) -> impl Iterator<Item = (ResourceType, &Arc<str>, &Entry<D::Value>)> {
        self.store
            .iter()
            .filter(|(.., entry)| !entry.is_lingering())
    }

    /// Why the control plane cannot be reached, since the last stream ended without a message and
    /// until one comes.
    pub const fn connection_error(&self) -> Option<&ErrorState> {
        self.connection_error.as_ref()
    }

    /// Whether a stream is open.
    pub const fn is_connected(&self) -> bool {
        self.link.is_live()
    }

    /// What was counted.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// What this state was made with; the features are those of the server of now.
    pub const fn config(&self) -> &AdsConfig {
        &self.config
    }

    fn end_stream(&mut self) {
        self.introduced = false;
        self.wires.iter_mut().for_each(Wire::end_stream);
        // A timer runs only while the server could answer (gRFC A27).
        for (_, kind, name) in std::mem::take(&mut self.timers) {
            if let Some(entry) = self.store.of_mut(kind).get_mut(&name) {
                entry.set_timer(None);
            }
        }
    }

    /// The text of an error for users: it names our node, by which the control plane's own logs
    /// can be searched, is bounded and stands on one line, whatever the server says.
    pub(super) fn describe(&self, what: std::fmt::Arguments<'_>) -> Arc<str> {
        let text = format!("xDS node {:?}: {}", self.config.node.id, OneLine(what));
        nack::shorten(&text, self.config.limits.text).into()
    }

    /// How long the server may be silent about a resource (gRFC A27: 15 s; A88: 30 s where silence
    /// is not the way to say that it does not exist).
    pub(super) const fn patience(&self) -> Duration {
        Duration::from_secs(
            match self.config.features.resource_timer_is_transient_error {
                false => 15,
                true => 30,
            },
        )
    }
}
