//! A page for Prometheus: a recorder for the `metrics` facade that keeps sums, never samples.

mod cell;
mod page;
mod registry;
#[cfg(test)]
mod tests;
mod text;

use std::{collections::HashMap, sync::Arc};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

pub use self::page::PrometheusPage;
use self::registry::Registry;
use crate::table::{HTTP_SECONDS, METRICS, MetricKind};

/// Installs a recorder for the whole program, with the buckets of the mesh's own histograms, and gives
/// its page.
///
/// # Errors
/// When a recorder is installed already.
pub fn prometheus() -> Result<PrometheusPage, InstallError> {
    PrometheusRecorder::new().install()
}

/// A recorder whose numbers are read as a page. Histograms are counted into fixed buckets, so that
/// memory grows with the number of series alone, and that is bounded. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PrometheusRecorder {
    registry: Arc<Registry>,
}

/// What a recorder is made with.
#[derive(Clone, Debug)]
pub(crate) struct RecorderConfig {
    max_series: usize,
    buckets: HashMap<String, Arc<[f64]>>,
    other_buckets: Arc<[f64]>,
}

/// A recorder is installed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a recorder for metrics is installed already")]
pub struct InstallError;

impl PrometheusRecorder {
    /// How many series a recorder keeps unless told: past that, new ones are not counted.
    pub const MAX_SERIES: usize = 10_000;

    /// A recorder that knows the buckets of the mesh's histograms. Other histograms get
    /// [`HTTP_SECONDS`].
    #[must_use]
    pub fn new() -> Self {
        let own = METRICS.iter().filter(|it| it.kind == MetricKind::Histogram);
        Self::of(RecorderConfig {
            max_series: Self::MAX_SERIES,
            buckets: own
                .map(|it| (text::name(it.name), it.buckets.into()))
                .collect(),
            other_buckets: HTTP_SECONDS.into(),
        })
    }

    fn of(config: RecorderConfig) -> Self {
        Self {
            registry: Arc::new(Registry::new(config)),
        }
    }

    /// How many series are kept; past that, [`PrometheusPage::refused`] counts what is not.
    #[must_use]
    pub fn max_series(self, max: usize) -> Self {
        self.configured(|config| config.max_series = max)
    }

    /// The upper bounds of a histogram's buckets, in its own unit; the bucket above the last is always
    /// there. Put into order; what is not finite is left out.
    #[must_use]
    pub fn buckets(self, name: &str, bounds: &[f64]) -> Self {
        let bounds = in_order(bounds);
        self.configured(|config| {
            config.buckets.insert(text::name(name), bounds);
        })
    }

    /// The same for histograms that are not named. Default: [`HTTP_SECONDS`].
    #[must_use]
    pub fn other_buckets(self, bounds: &[f64]) -> Self {
        let bounds = in_order(bounds);
        self.configured(|config| config.other_buckets = bounds)
    }

    fn configured(self, edit: impl FnOnce(&mut RecorderConfig)) -> Self {
        let mut config = self.registry.config().clone();
        edit(&mut config);
        Self::of(config)
    }

    /// Its page; the recorder need not be installed for it.
    #[must_use]
    pub fn page(&self) -> PrometheusPage {
        PrometheusPage::new(Arc::clone(&self.registry))
    }

    /// Makes it the recorder of the whole program, and gives its page.
    ///
    /// # Errors
    /// When one is installed already.
    pub fn install(self) -> Result<PrometheusPage, InstallError> {
        let page = self.page();
        metrics::set_global_recorder(self).map_err(|_| InstallError)?;
        Ok(page)
    }
}

impl Default for PrometheusRecorder {
    fn default() -> Self {
        Self::new()
    }
}

fn in_order(bounds: &[f64]) -> Arc<[f64]> {
    let finite = bounds.iter().copied().filter(|bound| bound.is_finite());
    let mut bounds: Vec<f64> = finite.collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds.into()
}

impl Recorder for PrometheusRecorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, help: SharedString) {
        self.registry
            .describe(MetricKind::Counter, &key, unit, &help);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, help: SharedString) {
        self.registry.describe(MetricKind::Gauge, &key, unit, &help);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, help: SharedString) {
        self.registry
            .describe(MetricKind::Histogram, &key, unit, &help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.registry.counter(key)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.registry.gauge(key)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.registry.histogram(key)
    }
}
