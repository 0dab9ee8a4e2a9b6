//! Handles of the metrics facade, from the table.

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata};

use crate::table::MetricConfig;

static METADATA: Metadata<'static> =
    Metadata::new(env!("CARGO_PKG_NAME"), Level::INFO, Some(module_path!()));

/// The values of a metric's labels, in the table's order.
fn key(metric: &MetricConfig, values: &[&str]) -> Key {
    debug_assert_eq!(metric.labels.len(), values.len(), "{}", metric.name);
    let labels = metric.labels.iter().zip(values);
    let labels = labels.map(|(&label, &value)| Label::new(label, value.to_owned()));
    Key::from_parts(metric.name, labels.collect::<Vec<_>>())
}

pub(crate) fn counter(metric: &MetricConfig, values: &[&str]) -> Counter {
    let key = key(metric, values);
    metrics::with_recorder(|recorder| recorder.register_counter(&key, &METADATA))
}

pub(crate) fn gauge(metric: &MetricConfig, values: &[&str]) -> Gauge {
    let key = key(metric, values);
    metrics::with_recorder(|recorder| recorder.register_gauge(&key, &METADATA))
}

pub(crate) fn histogram(metric: &MetricConfig, values: &[&str]) -> Histogram {
    let key = key(metric, values);
    metrics::with_recorder(|recorder| recorder.register_histogram(&key, &METADATA))
}
