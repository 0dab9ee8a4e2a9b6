//! What each thing that can be on costs a call, over connections in memory: server and client are one
//! thread, so that a difference between two runs is what the thing does and nothing else.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

use anyhow::{Result, ensure};
use mesh_benches::world::{self, AUTHORITY, Feature};
use mesh_core::{
    config::{Address, Dialect},
    source::FixedSource,
};
use mesh_telemetry::{MetricsObserver, PrometheusRecorder, TraceObserver};
use mesh_testkit::generated::mesh::test::v1::{echo_client::EchoClient, echo_server::EchoServer};
use mesh_tonic::MeshChannel;
use mesh_tower::{
    Mesh, MeshBuilder,
    connect::{Connect, Connecting, Io},
};
use tokio::{
    io::DuplexStream,
    sync::mpsc::{self, UnboundedSender},
};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Server;
use tracing::{Event, Id, Metadata, Subscriber, level_filters::LevelFilter, span};

use crate::{clients::echo, server::Calls};

/// Bytes that a connection in memory holds each way.
const PIPE: usize = 64 << 10;

/// Calls under way at once.
const IN_FLIGHT: usize = 16;

/// Calls so often with one thing on, and prints nanoseconds each.
pub async fn run(name: &str, count: usize) -> Result<()> {
    let (feature, mesh) = build(name)?;
    let (accept, accepted) = mpsc::unbounded_channel();
    let incoming = UnboundedReceiverStream::new(accepted);
    tokio::spawn(
        Server::builder()
            .add_service(EchoServer::new(Calls))
            .serve_with_incoming(incoming),
    );
    let source = FixedSource::new();
    let at = [1, 2, 3].map(|port| ([127, 0, 0, 1], port).into());
    source.set("shop", world::with(feature, &at)?);
    let mesh = mesh
        .source(source)
        .connect(Memory(accept))
        .seed(1)
        .spawn()?;
    let channel = MeshChannel::new(mesh.http_client("shop"), AUTHORITY, Dialect::Grpc)?;
    channel.ready().await?;
    let client = EchoClient::new(channel);
    ensure!(
        count % IN_FLIGHT == 0,
        "COUNT is not so often for each in flight"
    );
    let start = Instant::now();
    let callers = (0..IN_FLIGHT).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            for _ in 0..count / IN_FLIGHT {
                echo(client.clone()).await?;
            }
            anyhow::Ok(())
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await??;
    }
    println!("{:.0} 0", start.elapsed().as_nanos() as f64 / count as f64);
    let spans = SPANS.load(Relaxed);
    ensure!(
        (name == "traced") == (spans > 0),
        "{name} made {spans} spans"
    );
    Ok(())
}

fn build(name: &str) -> Result<(Feature, MeshBuilder)> {
    let mesh = Mesh::builder();
    Ok(match name {
        "plain" => (Feature::Plain, mesh),
        "routes" => (Feature::Routes, mesh),
        "retry" => (Feature::Retry, mesh),
        "budget" => (Feature::Budget, mesh),
        "deadline" => (Feature::Deadline, mesh),
        "fault" => (Feature::Fault, mesh),
        "metrics" => {
            PrometheusRecorder::new().install()?;
            (Feature::Plain, mesh.observer(MetricsObserver::new()))
        }
        "untraced" => (Feature::Plain, mesh.observer(TraceObserver::new())),
        "subscribed" => {
            tracing::subscriber::set_global_default(Dropping)?;
            (Feature::Plain, mesh)
        }
        "traced" => {
            tracing::subscriber::set_global_default(Dropping)?;
            (Feature::Plain, mesh.observer(TraceObserver::new()))
        }
        _ => anyhow::bail!("no feature of the name {name}"),
    })
}

/// Connects to a server in this process.
#[derive(Debug)]
struct Memory(UnboundedSender<io::Result<DuplexStream>>);

impl Connect for Memory {
    fn connect(&self, _: &Address) -> Connecting {
        let (here, there) = tokio::io::duplex(PIPE);
        let sent = self.0.send(Ok(there)).map_err(io::Error::other);
        Box::pin(async move { sent.map(|()| Box::new(here) as Box<dyn Io>) })
    }
}

static SPANS: AtomicU64 = AtomicU64::new(0);

/// Wants the mesh's spans, and forgets them.
struct Dropping;

impl Subscriber for Dropping {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "mesh"
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> Id {
        Id::from_u64(1 + SPANS.fetch_add(1, Relaxed))
    }

    fn record(&self, _: &Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
