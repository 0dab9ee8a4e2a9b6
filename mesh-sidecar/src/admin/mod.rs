//! The admin page.

mod clusters;
mod config_dump;
mod explain;

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use mesh::{HttpClient, Mesh, listen::Draining};
use tokio::net::TcpListener;

use crate::{flags::Setup, worker::Worker};

/// What the page shows.
#[derive(Debug)]
pub(crate) struct Admin {
    mesh: Mesh,
    served: Vec<Served>,
    draining: Draining,
}

/// A socket, and what its requests meet.
#[derive(Debug)]
struct Served {
    address: SocketAddr,
    listener: String,
    client: HttpClient,
}

impl Admin {
    pub(crate) fn new(
        setup: &Setup,
        addresses: &[SocketAddr],
        worker: &Worker,
        draining: Draining,
    ) -> Arc<Self> {
        let clients = worker.clients().into_iter().zip(addresses);
        let served = setup.listen.iter().zip(clients);
        let served = served.map(|(listen, (client, address))| Served {
            address: *address,
            listener: listen.listener.clone(),
            client,
        });
        Arc::new(Self {
            mesh: worker.mesh.clone(),
            served: served.collect(),
            draining,
        })
    }
}

/// Serves the page at `address` in the background, and says where that is.
///
/// # Errors
/// When the address cannot be had.
pub(crate) async fn serve(admin: Arc<Admin>, address: SocketAddr) -> anyhow::Result<SocketAddr> {
    let socket = TcpListener::bind(address)
        .await
        .with_context(|| format!("--admin: cannot listen at {address}"))?;
    let address = socket.local_addr()?;
    let page = Router::new()
        .route("/ready", get(ready))
        .route("/live", get(async || "LIVE\n"))
        .route("/clusters", get(clusters::page))
        .route("/config_dump", get(config_dump::page))
        .route("/explain", get(explain::page))
        .fallback(get(contents))
        .with_state(admin);
    tokio::spawn(async move { axum::serve(socket, page).await });
    Ok(address)
}

/// Whether requests can be served, in Envoy's words.
async fn ready(State(admin): State<Arc<Admin>>) -> Response {
    let served = admin.served.iter();
    let (status, state) = if admin.draining.has_begun() {
        (StatusCode::SERVICE_UNAVAILABLE, "DRAINING\n")
    } else if served.clone().any(|it| it.client.inspect().is_none()) {
        (StatusCode::SERVICE_UNAVAILABLE, "INITIALIZING\n")
    } else {
        (StatusCode::OK, "LIVE\n")
    };
    (status, state).into_response()
}

async fn contents() -> (StatusCode, &'static str) {
    let pages = "There are:\n\
        /ready        200 when every listener has its configuration\n\
        /live         200 while the program runs\n\
        /clusters     clusters and endpoints; ?format=json\n\
        /config_dump  what the control plane said, and what is made of it\n\
        /explain      why a request goes where it goes: ?authority=shop.test&path=/orders,\n\
        \x20             and if wished listener, method, header (name:value, may be repeated), draw\n";
    (StatusCode::NOT_FOUND, pages)
}

/// A value as JSON.
fn json(value: &impl serde::Serialize) -> Response {
    match serde_json::to_vec_pretty(value) {
        Ok(text) => ([("content-type", "application/json")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
