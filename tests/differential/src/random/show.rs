//! A table and a request in few lines.

use std::fmt::Write as _;

use mesh_proto::envoy::config::route::v3::{
    HeaderMatcher, QueryParameterMatcher, Route, RouteConfiguration, route::Action,
};

use crate::Ask;

pub(super) fn table(table: &RouteConfiguration) -> String {
    let mut text = String::new();
    if table.ignore_port_in_host_matching {
        text.push_str("  ignoring ports\n");
    }
    for host in &table.virtual_hosts {
        let _ = writeln!(text, "  host {:?}", host.domains);
        for it in &host.routes {
            let _ = writeln!(text, "    {}", route(it));
        }
    }
    text
}

fn route(route: &Route) -> String {
    let mut text = String::new();
    if let Some(conditions) = &route.r#match {
        if let Some(path) = &conditions.path_specifier {
            let _ = write!(text, "{path:?}");
        }
        if conditions.case_sensitive == Some(false) {
            text.push_str(" in any case");
        }
        if conditions.grpc.is_some() {
            text.push_str(", grpc");
        }
        if let Some(fraction) = &conditions.runtime_fraction {
            let _ = write!(text, ", of {:?}", fraction.default_value);
        }
        for it in &conditions.headers {
            let _ = write!(text, ", {}", header(it));
        }
        for it in &conditions.query_parameters {
            let _ = write!(text, ", {}", parameter(it));
        }
    }
    match &route.action {
        Some(Action::Route(action)) => {
            let _ = write!(text, " -> {:?}", action.cluster_specifier);
            if action.cluster_not_found_response_code != 0 {
                let code = action.cluster_not_found_response_code();
                let _ = write!(text, " or {}", code.as_str_name());
            }
        }
        other => {
            let _ = write!(text, " -> {other:?}");
        }
    }
    text
}

fn header(of: &HeaderMatcher) -> String {
    let mut text = format!("header {}: {:?}", of.name, of.header_match_specifier);
    if of.invert_match {
        text.push_str(" inverted");
    }
    if of.treat_missing_header_as_empty {
        text.push_str(" missing as empty");
    }
    text
}

fn parameter(of: &QueryParameterMatcher) -> String {
    format!(
        "parameter {}: {:?}",
        of.name, of.query_parameter_match_specifier
    )
}

pub(super) fn ask(ask: &Ask) -> String {
    let (method, path, authority) = (&ask.method, &ask.path, &ask.authority);
    let mut text = format!("  {:?}: {method} {path} at {authority}\n", ask.protocols);
    for (name, value) in &ask.headers {
        let _ = writeln!(text, "    {name}: {value}");
    }
    if let Some(body) = &ask.body {
        let _ = writeln!(text, "    and {} bytes", body.len());
    }
    text
}
