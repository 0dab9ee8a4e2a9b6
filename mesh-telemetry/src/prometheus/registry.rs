//! Every series by name and labels, and no more than so many.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use mesh_core::bounds::Bound;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Unit};

use super::{
    RecorderConfig,
    cell::{Buckets, Cell},
    text,
};
use crate::table::MetricKind;

#[derive(Debug)]
pub(super) struct Registry {
    config: RecorderConfig,
    families: RwLock<Families>,
    refused: AtomicU64,
}

/// The series of a page, in its order.
#[derive(Debug, Default)]
pub(super) struct Families {
    // By what the program calls them, to be found quickly.
    known: HashMap<(MetricKind, Key), Cell>,
    pub(super) by_name: BTreeMap<(String, MetricKind), Family>,
    series: usize,
}

/// The series of one name and kind.
#[derive(Debug, Default)]
pub(super) struct Family {
    pub(super) unit: Option<Unit>,
    pub(super) help: String,
    /// By their labels, as they are written.
    pub(super) series: BTreeMap<String, Cell>,
}

impl Registry {
    pub(super) fn new(config: RecorderConfig) -> Self {
        Self {
            config,
            families: RwLock::default(),
            refused: AtomicU64::new(0),
        }
    }

    pub(super) const fn config(&self) -> &RecorderConfig {
        &self.config
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Families> {
        // A panic while the lock was held cannot have left a family half changed.
        self.families.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Families> {
        self.families
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The last word counts.
    pub(super) fn describe(
        &self,
        kind: MetricKind,
        name: &KeyName,
        unit: Option<Unit>,
        help: &str,
    ) {
        let mut families = self.write();
        let name = (text::name(name.as_str()), kind);
        let room = families.by_name.len() < self.config.max_series;
        if room || families.by_name.contains_key(&name) {
            let family = families.by_name.entry(name).or_default();
            family.unit = unit;
            help.clone_into(&mut family.help);
        }
    }

    pub(super) fn counter(&self, key: &Key) -> Counter {
        match self.cell(MetricKind::Counter, key) {
            Some(Cell::Counter(cell)) => Counter::from_arc(cell),
            _ => Counter::noop(),
        }
    }

    pub(super) fn gauge(&self, key: &Key) -> Gauge {
        match self.cell(MetricKind::Gauge, key) {
            Some(Cell::Gauge(cell)) => Gauge::from_arc(cell),
            _ => Gauge::noop(),
        }
    }

    pub(super) fn histogram(&self, key: &Key) -> Histogram {
        match self.cell(MetricKind::Histogram, key) {
            Some(Cell::Histogram(cell)) => Histogram::from_arc(cell),
            _ => Histogram::noop(),
        }
    }

    /// The series of this key; none if there is no room for it.
    fn cell(&self, kind: MetricKind, key: &Key) -> Option<Cell> {
        let known = (kind, key.clone());
        if let Some(cell) = self.read().known.get(&known) {
            return Some(cell.clone());
        }
        let mut families = self.write();
        let Some(cell) = families.cell(kind, key, &self.config) else {
            Bound::MetricSeries.exceeded();
            // Relaxed: a count.
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        // Keys may be written in many ways that are one on the page: room is not made for all.
        if families.known.len() < 2 * self.config.max_series {
            families.known.insert(known, cell.clone());
        }
        Some(cell)
    }
}

impl Families {
    fn cell(&mut self, kind: MetricKind, key: &Key, config: &RecorderConfig) -> Option<Cell> {
        let name = text::name(key.name());
        let labels = text::labels(key.labels(), kind);
        let full = self.series >= config.max_series;
        let place = (name, kind);
        let family = self.by_name.get(&place);
        if let Some(cell) = family.and_then(|family| family.series.get(&labels)) {
            return Some(cell.clone());
        }
        if full {
            return None;
        }
        let cell = match kind {
            MetricKind::Counter => Cell::Counter(Arc::new(AtomicU64::new(0))),
            MetricKind::Gauge => Cell::Gauge(Arc::new(AtomicU64::new(0.0_f64.to_bits()))),
            MetricKind::Histogram => {
                let bounds = config.buckets.get(&place.0);
                let bounds = bounds.unwrap_or(&config.other_buckets);
                Cell::Histogram(Arc::new(Buckets::new(Arc::clone(bounds))))
            }
        };
        let family = self.by_name.entry(place).or_default();
        family.series.insert(labels, cell.clone());
        self.series += 1;
        Some(cell)
    }
}
