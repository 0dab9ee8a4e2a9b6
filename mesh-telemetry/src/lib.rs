//! The mesh observed.
//!
//! [`MetricsObserver`] counts requests for the `metrics` facade: the program chooses the recorder, and
//! this one's page for Prometheus is one line away ([`prometheus`]). [`TraceObserver`] makes a
//! `tracing` span of each request and each attempt and carries W3C trace context. Either is given to
//! the mesh when it is built, as is an [`Observer`](mesh_core::observe::Observer) of the program's
//! own. The [`manual`] lists every metric and every field.
//!
//! ```
//! use mesh_telemetry::MetricsObserver;
//!
//! let page = mesh_telemetry::prometheus()?;
//! // Before the mesh is built: `Mesh::builder().observer(MetricsObserver::new())`.
//! let observer = MetricsObserver::new();
//! // What `GET /metrics` answers.
//! let text = page.render();
//! # let _ = (observer, text);
//! # Ok::<(), mesh_telemetry::InstallError>(())
//! ```

mod handle;
mod metrics;
mod prometheus;
mod table;
mod trace;

pub use self::{
    metrics::MetricsObserver,
    prometheus::{InstallError, PrometheusPage, PrometheusRecorder, prometheus},
    table::{GRPC_SECONDS, HTTP_SECONDS, METRICS, MetricConfig, MetricKind},
    trace::{TraceContext, TraceObserver},
};

#[doc = include_str!("manual.md")]
pub mod manual {}
