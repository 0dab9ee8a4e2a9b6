//! The spans of one request.

use http::HeaderMap;
use mesh_core::{
    name::{ClusterName, Target},
    observe::{AttemptSummary, End, RequestSummary, Trace},
    policy::{grpc_status::GrpcCode, head::RequestHead, matcher::grpc},
};
use tracing::{Level, Span, debug_span, field::Empty, info_span};

use super::context::{Incoming, TRACEPARENT, TRACESTATE, TraceContext};
use crate::metrics::error_type;

/// Whether anybody might collect spans of requests.
pub(super) fn is_wanted() -> bool {
    tracing::level_filters::LevelFilter::current() >= Level::INFO
}

/// The span of a request; nothing is made of it where nobody collects it.
pub(super) fn of_request(target: &Target, head: &RequestHead<'_>) -> Span {
    info_span!(
        target: "mesh",
        "request",
        otel.kind = "client",
        rpc.system = grpc::is_grpc(head.headers).then_some("grpc"),
        http.request.method = head.method.as_str(),
        server.address = head.authority,
        url.path = head.path(),
        mesh.target = target.as_str(),
        mesh.route = Empty,
        mesh.cluster = Empty,
        mesh.attempts = Empty,
        mesh.end = Empty,
        http.response.status_code = Empty,
        rpc.grpc.status_code = Empty,
        error.type = Empty,
        error.message = Empty,
        trace_id = Empty,
        span_id = Empty,
        parent_span_id = Empty,
    )
}

/// A request's span, and its attempt's.
#[derive(Debug)]
pub(super) struct RequestSpan {
    span: Span,
    context: TraceContext,
    // What the caller sent is not what is sent on.
    fresh: bool,
    attempt: Span,
}

impl RequestSpan {
    pub(super) fn new(span: Span, incoming: Incoming) -> Self {
        let (context, fresh) = match incoming {
            Incoming::Of(parent) => {
                span.record("parent_span_id", parent.span_id());
                (parent.child(), false)
            }
            Incoming::None | Incoming::Malformed => (TraceContext::root(!span.is_disabled()), true),
        };
        span.record("trace_id", context.trace_id());
        span.record("span_id", context.span_id());
        Self {
            span,
            context,
            fresh,
            attempt: Span::none(),
        }
    }
}

impl Trace for RequestSpan {
    fn routed(&mut self, route: &str, cluster: &ClusterName) {
        self.span.record("mesh.route", route);
        self.span.record("mesh.cluster", cluster.as_str());
    }

    fn attempt_started(&mut self, number: u32, headers: &mut HeaderMap) {
        self.attempt = debug_span!(
            target: "mesh",
            parent: &self.span,
            "attempt",
            mesh.attempt = number,
            mesh.endpoint = Empty,
            mesh.end = Empty,
            http.response.status_code = Empty,
            rpc.grpc.status_code = Empty,
            error.type = Empty,
            error.message = Empty,
            span_id = Empty,
        );
        let context = self.context.child();
        self.attempt.record("span_id", context.span_id());
        if let Some(value) = context.header_value() {
            headers.insert(&TRACEPARENT, value);
        }
        // Without a valid `traceparent` it says nothing (section "Mutating the traceparent field").
        if self.fresh {
            headers.remove(&TRACESTATE);
        }
    }

    fn attempt_ended(&mut self, attempt: &AttemptSummary<'_>) {
        let span = std::mem::replace(&mut self.attempt, Span::none());
        if let Some(endpoint) = attempt.endpoint {
            span.record("mesh.endpoint", endpoint.key().as_str());
        }
        let status = attempt.status.map(|status| status.as_u16());
        ended(&span, &attempt.end, status, attempt.code);
    }

    fn ended(&mut self, request: &RequestSummary<'_>) {
        self.span.record("mesh.attempts", request.attempts);
        let status = request.status.map(|status| status.as_u16());
        ended(&self.span, &request.end, status, request.code);
    }
}

fn ended(span: &Span, end: &End<'_>, status: Option<u16>, code: Option<GrpcCode>) {
    if span.is_disabled() {
        return;
    }
    span.record("mesh.end", end.as_str());
    span.record("http.response.status_code", status);
    span.record("rpc.grpc.status_code", code.map(GrpcCode::number));
    if let End::Failed(error) = end {
        span.record("error.type", error_type(error.kind()));
        span.record("error.message", tracing::field::display(error));
    }
}
