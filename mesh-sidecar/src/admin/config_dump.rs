//! `/config_dump`: what the control plane said, and what is made of it.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use mesh::{InspectedCluster, Inspection};
use serde_json::{Value, json};

use super::{Admin, Served};

/// Read on a thread of its own: it may be long, and requests are not to wait for it.
pub(super) async fn page(State(admin): State<Arc<Admin>>) -> Response {
    let dump = tokio::task::spawn_blocking(move || super::json(&dump(&admin)));
    let failed = |_| StatusCode::INTERNAL_SERVER_ERROR.into_response();
    dump.await.unwrap_or_else(failed)
}

fn dump(admin: &Admin) -> Value {
    let clients = admin.mesh.status();
    let planes: Vec<_> = clients.iter().map(|(_, status)| plane(status)).collect();
    let listeners: Vec<_> = admin.served.iter().map(listener).collect();
    json!({ "control_planes": planes, "listeners": listeners })
}

/// What is known of every resource.
fn plane(status: &mesh::XdsStatus) -> Value {
    let resources = status.resources.iter().map(|resource| {
        json!({
            "type_url": resource.kind.type_url(),
            "name": resource.name,
            "version": resource.version,
            "status": format!("{:?}", resource.status),
            "error": resource.last_error,
        })
    });
    json!({
        "server": status.server,
        "connected": status.connected,
        "error": status.connection_error,
        "resources": resources.collect::<Vec<_>>(),
    })
}

fn listener(served: &Served) -> Value {
    let inspection = served.client.inspect();
    json!({
        "name": served.listener,
        "address": served.address,
        "config": inspection.as_ref().map(config),
    })
}

fn config(inspection: &Inspection) -> Value {
    let routes =
        inspection.routes().routes().iter().map(
            |compiled| json!({ "virtual_host": compiled.virtual_host, "route": compiled.route }),
        );
    let clusters = inspection.clusters().map(|(name, cluster)| match cluster {
        InspectedCluster::Live(cluster) => json!({ "name": name, "config": *cluster.config() }),
        InspectedCluster::Unavailable(reason) => json!({ "name": name, "unavailable": reason }),
    });
    json!({
        "listener": inspection.listener(),
        "route_config": inspection.routes().name(),
        "routes": routes.collect::<Vec<_>>(),
        "clusters": clusters.collect::<Vec<_>>(),
    })
}
