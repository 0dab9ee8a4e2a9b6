//! The page.

use std::{collections::HashSet, sync::Arc};

use http::{HeaderValue, Response, header::CONTENT_TYPE};

use super::{registry::Registry, text};
use crate::table::MetricKind;

/// The numbers of a [recorder](super::PrometheusRecorder), to be read at any time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PrometheusPage(Arc<Registry>);

impl PrometheusPage {
    /// The content type of what [`Self::render`] gives.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    pub(super) const fn new(registry: Arc<Registry>) -> Self {
        Self(registry)
    }

    /// Every series, in Prometheus' text format, by name and labels in order. Of two metrics that
    /// would be called the same, the first counts: to write both would spoil the page.
    #[must_use]
    pub fn render(&self) -> String {
        let families = self.0.read();
        let mut page = String::new();
        let mut taken = HashSet::new();
        for ((name, kind), family) in &families.by_name {
            if family.series.is_empty() {
                continue;
            }
            let name = text::page_name(name, *kind, family.unit);
            let names: Vec<_> = suffixes(*kind)
                .iter()
                .map(|suffix| format!("{name}{suffix}"))
                .collect();
            if names.iter().any(|name| taken.contains(name)) {
                continue;
            }
            text::family(&mut page, &name, *kind, family);
            taken.extend(names);
        }
        page
    }

    /// How often a series was asked for and there was no room for it.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.refused()
    }

    /// The same as the answer to a request.
    #[must_use]
    pub fn response(&self) -> Response<String> {
        let mut response = Response::new(self.render());
        let content_type = HeaderValue::from_static(Self::CONTENT_TYPE);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response
    }
}

/// What is written behind the name of a family.
const fn suffixes(kind: MetricKind) -> &'static [&'static str] {
    match kind {
        MetricKind::Counter | MetricKind::Gauge => &[""],
        MetricKind::Histogram => &["", "_bucket", "_sum", "_count"],
    }
}
