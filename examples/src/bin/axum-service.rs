//! What you learn: a server keeps one client of the mesh in its state, and its handlers call other
//! services with it. The client is cheap to clone and shares its connections.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::{
    Router,
    extract::State,
    http::{Request, StatusCode, Uri},
    routing::get,
};
use bytes::Bytes;
use clap::Parser;
use http_body_util::{BodyExt, Empty, Limited};
use mesh::{HttpClient, telemetry};
use mesh_examples::{stop, target::mesh_for};
use tokio::net::TcpListener;

/// The most that is read of an answer from upstream, in bytes.
const LIMIT: usize = 64 * 1024;

/// Answers `GET /where` with its name; given an upstream, with the way through it. Answers
/// `GET /metrics` with what the mesh has counted.
#[derive(Debug, Parser)]
struct Args {
    /// Where to listen; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What it calls itself.
    #[arg(long, default_value = "v1")]
    name: String,
    /// The service it asks in turn, for example `xds:///quotes`; without, it is the last one.
    #[arg(long)]
    upstream: Option<String>,
}

/// What all handlers share.
#[derive(Clone)]
struct Shared {
    name: String,
    upstream: Option<Upstream>,
}

#[derive(Clone)]
struct Upstream {
    client: HttpClient,
    url: Uri,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let stop = stop::requested()?;
    // Before the mesh, which counts for whatever recorder it finds.
    let page = telemetry::prometheus()?;
    let shared = Shared {
        name: args.name,
        upstream: args.upstream.as_deref().map(upstream).transpose()?,
    };
    let app = Router::new()
        .route("/where", get(answer))
        .route("/metrics", get(async move || page.response()))
        .with_state(shared);

    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    println!("listening on {}", listener.local_addr()?);
    // Requests under way are answered first.
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}

/// One client for the life of the program. It keeps the mesh running while it lives.
fn upstream(target: &str) -> anyhow::Result<Upstream> {
    let client = mesh_for(target)?.http_client(target)?;
    Ok(Upstream {
        client,
        // A service that is found by its target alone needs no name in its URL; routes that tell
        // virtual hosts apart do.
        url: Uri::from_static("http://upstream/where"),
    })
}

async fn answer(State(shared): State<Shared>) -> Result<String, (StatusCode, String)> {
    let Shared { name, upstream } = shared;
    let Some(upstream) = upstream else {
        return Ok(name);
    };
    match ask(&upstream).await {
        Ok(further) => Ok(format!("{name} > {further}")),
        Err(error) => Err((StatusCode::BAD_GATEWAY, format!("{error:#}"))),
    }
}

async fn ask(upstream: &Upstream) -> anyhow::Result<String> {
    let request = Request::get(&upstream.url).body(Empty::<Bytes>::new())?;
    let response = upstream.client.send(request).await?;
    anyhow::ensure!(
        response.status().is_success(),
        "upstream answered {}",
        response.status()
    );
    let body = Limited::new(response.into_body(), LIMIT).collect().await;
    let body = body
        .map_err(|error| anyhow::anyhow!("upstream's body failed: {error}"))?
        .to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}
