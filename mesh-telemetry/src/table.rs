//! The one table of every metric; the [manual](crate::manual) shows it.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// A metric: what it is called, and what it means.
#[derive(Clone, Copy, Debug)]
pub struct MetricConfig {
    /// Its name. On a Prometheus page dots are underscores, and unit and kind are put behind.
    pub name: &'static str,
    /// What it does over time.
    pub kind: MetricKind,
    /// What one of it is.
    pub unit: Unit,
    /// The labels of its series.
    pub labels: &'static [&'static str],
    /// What it tells, in one line.
    pub help: &'static str,
    /// The bounds of a histogram's buckets.
    pub buckets: &'static [f64],
}

/// What a metric does over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricKind {
    /// It grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It counts values by their size.
    Histogram,
}

impl MetricKind {
    /// In one word, as Prometheus has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// gRFC A66's bounds for times, in seconds.
pub const GRPC_SECONDS: &[f64] = &[
    0.0, 0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004, 0.005,
    0.006, 0.008, 0.01, 0.013, 0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16,
    0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0,
];

/// OpenTelemetry's bounds for the duration of HTTP requests, in seconds.
pub const HTTP_SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// Declares the metrics: a constant each, and the list of all.
macro_rules! metrics {
    ($($id:ident = $name:literal, $kind:ident, $unit:ident, [$($label:literal),*], $help:literal $(, $buckets:ident)?;)*) => {
        $(
            pub(crate) const $id: MetricConfig = MetricConfig {
                name: $name,
                kind: MetricKind::$kind,
                unit: Unit::$unit,
                labels: &[$($label),*],
                help: $help,
                buckets: metrics!(@ $($buckets)?),
            };
        )*

        /// Every metric of the mesh, in the order of the manual's table.
        pub const METRICS: &[MetricConfig] = &[$($id),*];
    };
    (@) => { &[] };
    (@ $buckets:ident) => { $buckets };
}

metrics! {
    ATTEMPT_STARTED = "grpc.client.attempt.started", Counter, Count, ["grpc.method", "grpc.target"],
        "Attempts of gRPC calls begun, those under way included (gRFC A66).";
    ATTEMPT_DURATION = "grpc.client.attempt.duration", Histogram, Seconds,
        ["grpc.method", "grpc.target", "grpc.status", "grpc.lb.backend_service"],
        "Time that an attempt of a gRPC call took, with the choice of its endpoint (gRFC A66; the cluster by A89).",
        GRPC_SECONDS;
    CALL_DURATION = "grpc.client.call.duration", Histogram, Seconds,
        ["grpc.method", "grpc.target", "grpc.status"],
        "Time that a gRPC call took for its caller, all attempts included (gRFC A66).",
        GRPC_SECONDS;
    HTTP_DURATION = "http.client.request.duration", Histogram, Seconds,
        ["http.request.method", "http.response.status_code", "error.type", "server.address", "mesh.cluster"],
        "Time that an HTTP request took for its caller, to the end of the answer's body (OpenTelemetry).",
        HTTP_SECONDS;
    REQUESTS_FAILED = "mesh.client.requests_failed", Counter, Count,
        ["mesh.target", "mesh.cluster", "error.type"],
        "Requests that ended with an error of the mesh and not with an answer, by kind of error.";
    REQUESTS_GIVEN_UP = "mesh.client.requests_given_up", Counter, Count,
        ["mesh.target", "mesh.cluster", "mesh.end"],
        "Requests that their caller dropped: cancelled before an answer, or dropped within its body.";
    RETRIES = "mesh.client.retries", Counter, Count, ["mesh.target", "mesh.cluster", "mesh.reason"],
        "Attempts that sent a request again: as its policy says, or since no endpoint had seen it (transparent).";
    REQUESTS = "mesh.cluster.requests", Gauge, Count, ["mesh.cluster"],
        "Requests of a cluster under way at its endpoints.";
    PENDING = "mesh.cluster.pending_requests", Gauge, Count, ["mesh.cluster"],
        "Requests of a cluster that wait for a connection.";
    CONNECTIONS = "mesh.cluster.connections", Gauge, Count, ["mesh.cluster"],
        "Connections of a cluster.";
    RETRYING = "mesh.cluster.retrying_requests", Gauge, Count, ["mesh.cluster"],
        "Requests of a cluster that are being sent again, as policy says.";
    ENDPOINTS = "mesh.cluster.endpoints", Gauge, Count, ["mesh.cluster", "mesh.state"],
        "Endpoints of a cluster by the state of their connections: idle, connecting, ready, failed.";
    CONNECT_FAILURES = "mesh.cluster.connect_failures", Counter, Count, ["mesh.cluster"],
        "How often an endpoint of a cluster could not be connected to.";
    LIMIT_REACHED = "mesh.cluster.limit_reached", Counter, Count, ["mesh.cluster", "mesh.limit"],
        "How often a limit of a cluster refused something: requests, pending, retries, connections.";
    BOUND_EXCEEDED = "mesh.bound_exceeded", Counter, Count, ["mesh.bound"],
        "How often something was refused for a bound of the process; the manual of mesh-core lists them.";
    XDS_CONNECTED = "grpc.xds_client.connected", Gauge, Count, ["grpc.target", "grpc.xds.server"],
        "Whether the control plane can be reached: 1 or 0 (gRFC A78).";
    XDS_FAILURES = "grpc.xds_client.server_failure", Counter, Count, ["grpc.target", "grpc.xds.server"],
        "How often the control plane went from reachable to not reachable (gRFC A78).";
    XDS_VALID = "grpc.xds_client.resource_updates_valid", Counter, Count,
        ["grpc.target", "grpc.xds.server", "grpc.xds.resource_type"],
        "Resources received and valid, those that had not changed included (gRFC A78).";
    XDS_INVALID = "grpc.xds_client.resource_updates_invalid", Counter, Count,
        ["grpc.target", "grpc.xds.server", "grpc.xds.resource_type"],
        "Resources received and refused (gRFC A78).";
    XDS_RESOURCES = "grpc.xds_client.resources", Gauge, Count,
        ["grpc.target", "grpc.xds.authority", "grpc.xds.cache_state", "grpc.xds.resource_type"],
        "Resources subscribed to, by state (gRFC A78).";
}

/// Tells the recorder what each metric is.
pub(crate) fn describe() {
    for metric in METRICS {
        let MetricConfig {
            name, unit, help, ..
        } = *metric;
        match metric.kind {
            MetricKind::Counter => describe_counter!(name, unit, help),
            MetricKind::Gauge => describe_gauge!(name, unit, help),
            MetricKind::Histogram => describe_histogram!(name, unit, help),
        }
    }
}
