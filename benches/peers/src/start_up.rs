//! A client's start against a control plane with many clusters.

use std::{fs, net::SocketAddr, time::Instant};

use anyhow::{Context, Result, bail};
use mesh::{Bootstrap, Dialect, Mesh, Variant};
use mesh_testkit::generated::mesh::test::v1::echo_client::EchoClient;
use tokio::{io::AsyncReadExt, net::TcpStream};
use tonic_xds::{BootstrapConfig, XdsChannelBuilder, XdsChannelConfig, XdsUri};

use crate::{clients::echo, plane, stall::Window};

/// The largest message of a control plane that tonic-xds takes; it is less by default.
const LARGEST: usize = 64 << 20;

/// Starts a client and calls. Prints how many requests the control plane got, the bytes that it got
/// and sent, milliseconds until the call was answered and until the client had accepted everything,
/// and the KiB by which the client's own memory has grown.
pub async fn run(name: &str, ads: SocketAddr, counts: SocketAddr) -> Result<()> {
    let window = Window::open()?;
    let before = memory()?;
    let start = Instant::now();
    match name {
        "mesh" => mesh(ads, Variant::Sotw, counts, start, before).await?,
        "mesh-delta" => mesh(ads, Variant::Delta, counts, start, before).await?,
        "tonic-xds" => tonic(ads, counts, start, before).await?,
        _ => bail!("no client of the name {name}"),
    }
    println!(" {:.2}", window.stalled()?);
    Ok(())
}

async fn mesh(
    ads: SocketAddr,
    variant: Variant,
    counts: SocketAddr,
    start: Instant,
    before: u64,
) -> Result<()> {
    let mesh = Mesh::builder()
        .bootstrap(Bootstrap::from_json(&plane::bootstrap(&ads.to_string()))?)
        // It connects to endpoints when they are needed; in gRPC's all are connected to beforehand.
        .dialect(Dialect::Envoy)
        .variant(variant)
        .spawn()?;
    let client = EchoClient::new(mesh.channel("xds:///shop")?);
    echo(client.clone()).await?;
    report(counts, start, before).await
}

async fn tonic(ads: SocketAddr, counts: SocketAddr, start: Instant, before: u64) -> Result<()> {
    let bootstrap = plane::bootstrap(&format!("http://{ads}"));
    let config = XdsChannelConfig::new(XdsUri::parse("xds:///shop")?)
        .with_bootstrap(BootstrapConfig::from_json(&bootstrap)?)
        .with_max_decoding_message_size(LARGEST);
    let channel = XdsChannelBuilder::new(config).build_grpc_channel()?;
    let client = EchoClient::new(channel);
    echo(client.clone()).await?;
    report(counts, start, before).await
}

/// While the client lives.
async fn report(counts: SocketAddr, start: Instant, before: u64) -> Result<()> {
    let called = start.elapsed().as_millis();
    let mut seen = String::new();
    let mut asked = TcpStream::connect(counts).await?;
    asked.read_to_string(&mut seen).await?;
    let settled = start.elapsed().as_millis();
    let grown = memory()?.saturating_sub(before);
    print!("{seen} {called} {settled} {grown}");
    Ok(())
}

/// KiB of this process that are in memory, but for what is a part of its file.
fn memory() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let anonymous = status.lines().find_map(|it| it.strip_prefix("RssAnon:"));
    let words = anonymous.context("/proc/self/status says nothing of it")?;
    let first = words
        .split_whitespace()
        .next()
        .context("the line is empty")?;
    Ok(first.parse()?)
}
