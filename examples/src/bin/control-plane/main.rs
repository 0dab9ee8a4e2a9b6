//! What you learn: what a control plane tells a mesh (a listener, its routes, clusters, endpoints),
//! and that moving traffic is one new version of a route. Type `v1=50,v2=50` while it runs.
//!
//! It serves the control plane that the tests script. For production there are istiod and
//! go-control-plane; the mesh speaks to them in the same way.

mod flags;

use std::{
    io::{self, BufRead},
    path::Path,
    thread,
};

use anyhow::Context as _;
use clap::Parser;
use mesh_examples::stop;
use mesh_testkit::{
    ControlPlane,
    xds::{self, RouteConfigBuilder},
};
use tokio::sync::mpsc;

use crate::flags::{Args, Endpoint, Weight};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    args.check()?;
    let mut stop = std::pin::pin!(stop::requested()?);
    let plane = ControlPlane::bind(args.listen)
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    publish(&plane, &args);
    println!("listening on {}", plane.address());
    hand_out(&bootstrap(&plane), args.bootstrap.as_deref())?;

    let mut changes = typed_lines();
    loop {
        let line = tokio::select! {
            () = &mut stop => return Ok(()),
            Some(line) = changes.recv() => line,
        };
        match flags::weights(&line).and_then(|weights| args.known(&weights).map(|()| weights)) {
            Ok(weights) => {
                plane.set(routes(&args.listener, &weights));
                println!("published {}", line.trim());
            }
            Err(error) => println!("not published: {error}"),
        }
    }
}

/// Publishes everything at once: one new version of each type.
fn publish(plane: &ControlPlane, args: &Args) {
    let mut listed: Vec<mesh_testkit::control::Resource> = vec![
        xds::listener(&args.listener, &args.listener).into(),
        routes(&args.listener, &args.route).into(),
    ];
    for name in args.clusters() {
        let cluster = xds::cluster(name);
        let cluster = if args.http1 {
            cluster.http1()
        } else {
            cluster.http2()
        };
        let of_cluster = args.endpoints.iter().filter(|of| of.cluster == *name);
        let addresses: Vec<_> = of_cluster
            .map(|Endpoint { address, .. }| *address)
            .collect();
        listed.push(cluster.into());
        listed.push(xds::endpoints(name, &addresses).into());
    }
    plane.set(listed);
}

/// All requests, by weight; again on another endpoint where that is safe.
fn routes(name: &str, weights: &[Weight]) -> RouteConfigBuilder {
    let weights: Vec<_> = weights
        .iter()
        .map(|of| (of.cluster.as_str(), of.weight))
        .collect();
    let again = xds::retry("unavailable,connect-failure,refused-stream", 3);
    xds::route_config(name).host(&["*"], [xds::split(&weights).retry(again)])
}

/// What clients need to find us (gRFC A27).
fn bootstrap(plane: &ControlPlane) -> String {
    let bootstrap = serde_json::json!({
        "xds_servers": [{
            "server_uri": plane.socket().to_string(),
            "channel_creds": [{ "type": "insecure" }],
        }],
        "node": { "id": "example" },
    });
    format!("{bootstrap:#}")
}

fn hand_out(bootstrap: &str, file: Option<&Path>) -> anyhow::Result<()> {
    let Some(file) = file else {
        println!("{bootstrap}");
        return Ok(());
    };
    std::fs::write(file, bootstrap).with_context(|| format!("cannot write {}", file.display()))?;
    println!("GRPC_XDS_BOOTSTRAP={}", file.display());
    Ok(())
}

/// Lines of standard input. A thread of its own reads them: a read cannot be cancelled, and the
/// program does not wait for it.
fn typed_lines() -> mpsc::Receiver<String> {
    let (lines, received) = mpsc::channel(16);
    thread::spawn(move || {
        let typed = io::stdin().lock().lines().map_while(Result::ok);
        for line in typed.filter(|line| !line.trim().is_empty()) {
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    received
}
