//! A subscriber that keeps the spans of the mesh.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::{DefaultGuard, Interest},
};

/// Spans, in the order in which they were made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collector(Arc<Mutex<Vec<Collected>>>);

#[derive(Clone, Debug)]
pub(crate) struct Collected {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) level: String,
    pub(crate) parent: Option<u64>,
    pub(crate) fields: BTreeMap<&'static str, String>,
    handles: usize,
}

impl Collector {
    /// A collector for this thread, until the guard is dropped.
    pub(crate) fn install() -> (Self, DefaultGuard) {
        let collector = Self::default();
        let installed = tracing::subscriber::set_default(collector.clone());
        (collector, installed)
    }

    fn spans(&self) -> MutexGuard<'_, Vec<Collected>> {
        self.0.lock().unwrap()
    }

    pub(crate) fn closed(&self) -> Vec<Collected> {
        let spans = self.spans();
        spans.iter().filter(|it| it.handles == 0).cloned().collect()
    }

    pub(crate) fn open(&self) -> usize {
        self.spans().iter().filter(|it| it.handles > 0).count()
    }

    fn with(&self, id: &Id, edit: impl FnOnce(&mut Collected)) {
        let at = usize::try_from(id.into_u64()).unwrap() - 1;
        edit(&mut self.spans()[at]);
    }
}

impl Collected {
    #[track_caller]
    pub(crate) fn is(&self, name: &str, level: &str, fields: &[(&str, &str)]) {
        assert_eq!((self.name, &*self.level), (name, level));
        for (field, due) in fields {
            assert_eq!(self.get(field), *due, "{field}: {self:?}");
        }
    }

    pub(crate) fn get(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", |value| value)
    }
}

impl Visit for Collected {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Collector {
    /// Asked each time: other tests, on other threads, collect nothing.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "mesh"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut spans = self.spans();
        let id = spans.len() as u64 + 1;
        let mut collected = Collected {
            id,
            name: span.metadata().name(),
            level: span.metadata().level().to_string(),
            parent: span.parent().map(Id::into_u64),
            fields: BTreeMap::new(),
            handles: 1,
        };
        span.record(&mut collected);
        spans.push(collected);
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.with(span, |it| values.record(it));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}

    fn clone_span(&self, id: &Id) -> Id {
        self.with(id, |it| it.handles += 1);
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        self.with(&id, |it| it.handles -= 1);
        false
    }
}
