//! Clients that a control plane leads.

use anyhow::{Result, ensure};
use mesh::{Bootstrap, Mesh};
use mesh_telemetry::{MetricsObserver, PrometheusRecorder};
use mesh_testkit::generated::mesh::test::v1::echo_client::EchoClient;
use tonic_xds::{BootstrapConfig, XdsChannelBuilder, XdsChannelConfig, XdsUri};

use super::{World, echo};
use crate::{load::Measured, plane};

/// The mesh with all of it: its policy from a control plane, and its numbers on a page.
pub async fn mesh(world: &World) -> Result<Measured> {
    let page = PrometheusRecorder::new().install()?;
    let bootstrap = plane::bootstrap(&world.ads.to_string());
    let mesh = Mesh::builder()
        .bootstrap(Bootstrap::from_json(&bootstrap)?)
        .observer(MetricsObserver::new())
        .spawn()?;
    let channel = mesh.channel("xds:///shop")?;
    channel.ready().await?;
    let client = EchoClient::new(channel);
    let measured = world.load.measure(move || echo(client.clone())).await?;
    let page = page.render();
    ensure!(
        page.contains("\ngrpc_client_attempt_duration_seconds_count{"),
        "no call was counted: {page}"
    );
    Ok(measured)
}

/// tonic-xds with the policy of `target`.
pub async fn tonic(world: &World, target: &str) -> Result<Measured> {
    let bootstrap = plane::bootstrap(&format!("http://{}", world.ads));
    let config = XdsChannelConfig::new(XdsUri::parse(&format!("xds:///{target}"))?)
        .with_bootstrap(BootstrapConfig::from_json(&bootstrap)?);
    let channel = XdsChannelBuilder::new(config).build_grpc_channel()?;
    let client = EchoClient::new(channel);
    world.load.measure(move || echo(client.clone())).await
}
