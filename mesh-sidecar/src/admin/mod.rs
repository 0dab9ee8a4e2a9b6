//! The admin page.

mod clusters;
mod config_dump;
mod explain;

use std::{iter, net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use mesh::{HttpClient, Mesh, listen::Draining, telemetry::PrometheusPage};
use tokio::net::TcpListener;

use crate::flags::Setup;

/// What the page shows.
#[derive(Debug)]
pub(crate) struct Admin {
    /// The first worker's.
    pub(crate) mesh: Mesh,
    pub(crate) served: Vec<Served>,
    pub(crate) metrics: PrometheusPage,
    pub(crate) draining: Draining,
}

/// A socket, and what its requests meet.
#[derive(Debug)]
pub(crate) struct Served {
    address: SocketAddr,
    listener: String,
    /// The first worker's: what it has, all have.
    client: HttpClient,
    others: Vec<HttpClient>,
}

impl Served {
    /// One for each `--listen`, of the clients that each worker has for them.
    pub(crate) fn of(
        setup: &Setup,
        addresses: &[SocketAddr],
        workers: &[Vec<HttpClient>],
    ) -> Vec<Self> {
        let listens = setup.listen.iter().zip(addresses).enumerate();
        let served = listens.filter_map(|(place, (listen, address))| {
            let mut clients = workers.iter().filter_map(|it| it.get(place)).cloned();
            Some(Self {
                address: *address,
                listener: listen.listener.clone(),
                client: clients.next()?,
                others: clients.collect(),
            })
        });
        served.collect()
    }

    /// Whether every worker has its configuration: each has a socket of its own, and a client may
    /// come to any of them.
    fn is_ready(&self) -> bool {
        let mut clients = iter::once(&self.client).chain(&self.others);
        clients.all(|it| it.inspect().is_some())
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
        .route("/metrics", get(metrics))
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
    let (status, state) = if admin.draining.has_begun() {
        (StatusCode::SERVICE_UNAVAILABLE, "DRAINING\n")
    } else if !admin.served.iter().all(Served::is_ready) {
        (StatusCode::SERVICE_UNAVAILABLE, "INITIALIZING\n")
    } else {
        (StatusCode::OK, "LIVE\n")
    };
    (status, state).into_response()
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    admin.metrics.response().into_response()
}

async fn contents() -> (StatusCode, &'static str) {
    let pages = "There are:\n\
        /ready        200 when every listener has its configuration\n\
        /live         200 while the program runs\n\
        /metrics      counts and times, as text for Prometheus\n\
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
