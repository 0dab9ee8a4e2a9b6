//! `/clusters`: clusters and their endpoints, with what is under way.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use mesh::InspectedCluster;
use mesh_core::runtime::ClusterExplanation;
use serde::{Deserialize, Serialize};

use super::{Admin, json};

/// What may be asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    format: Option<String>,
}

/// A cluster of a listener.
#[derive(Debug, Serialize)]
struct Cluster {
    listener: String,
    name: String,
    #[serde(flatten)]
    state: Standing,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    Live(ClusterExplanation),
    Unavailable(String),
}

pub(super) async fn page(State(admin): State<Arc<Admin>>, Query(asked): Query<Asked>) -> Response {
    let clusters = clusters(&admin);
    if asked.format.as_deref() == Some("json") {
        return json(&clusters);
    }
    let mut text = String::new();
    for cluster in &clusters {
        let _ = match &cluster.state {
            Standing::Live(explanation) => write!(text, "{explanation}"),
            Standing::Unavailable(reason) => {
                writeln!(text, "cluster {}: unavailable: {reason}", cluster.name)
            }
        };
    }
    text.into_response()
}

fn clusters(admin: &Admin) -> Vec<Cluster> {
    let mut clusters = Vec::new();
    for served in &admin.served {
        let Some(inspection) = served.client.inspect() else {
            continue;
        };
        for (name, cluster) in inspection.clusters() {
            clusters.push(Cluster {
                listener: served.listener.clone(),
                name: name.to_string(),
                state: match cluster {
                    InspectedCluster::Live(cluster) => Standing::Live(cluster.explain()),
                    InspectedCluster::Unavailable(reason) => {
                        Standing::Unavailable(reason.to_owned())
                    }
                },
            });
        }
    }
    clusters
}
