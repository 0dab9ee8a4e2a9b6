//! Where numbers are kept. Relaxed throughout: they are counts, nothing is published by them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use metrics::HistogramFn;

/// The number or numbers of one series.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Counter(Arc<AtomicU64>),
    /// The bits of a float.
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Buckets>),
}

/// How many values fell into each bucket, and their sum.
#[derive(Debug)]
pub(super) struct Buckets {
    bounds: Arc<[f64]>,
    // One more than bounds: the last is for what is above them all.
    counts: Box<[AtomicU64]>,
    // The bits of a float.
    sum: AtomicU64,
}

impl Buckets {
    pub(super) fn new(bounds: Arc<[f64]>) -> Self {
        Self {
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            bounds,
            sum: AtomicU64::new(0.0_f64.to_bits()),
        }
    }

    /// The bounds, and how many values are not above each; then how many there are, and their sum.
    pub(super) fn read(&self) -> (Vec<(f64, u64)>, u64, f64) {
        let mut total = 0;
        let mut next = |count: &AtomicU64| {
            total += count.load(Ordering::Relaxed);
            total
        };
        let counts: Vec<u64> = self.counts.iter().map(&mut next).collect();
        let bounds = self.bounds.iter().copied().zip(counts).collect();
        (
            bounds,
            total,
            f64::from_bits(self.sum.load(Ordering::Relaxed)),
        )
    }
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        self.record_many(value, 1);
    }

    /// What is not a number is in no bucket, and would make the sum none for ever.
    fn record_many(&self, value: f64, count: usize) {
        if value.is_nan() {
            return;
        }
        let place = self.bounds.partition_point(|bound| *bound < value);
        self.counts[place].fetch_add(count as u64, Ordering::Relaxed);
        let added = value * count as f64;
        let add = |sum| Some((f64::from_bits(sum) + added).to_bits());
        // Never fails: `add` always gives something.
        let _ = self
            .sum
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}
