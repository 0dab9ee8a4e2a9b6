//! What you learn: a generated gRPC client takes a channel of the mesh as it takes tonic's. Where the
//! calls go is the control plane's decision, or with `ipv4:`, `dns:` and `unix:` targets the target's.

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use mesh_examples::{
    generated::helloworld::{HelloRequest, greeter_client::GreeterClient},
    stop,
    tally::Tally,
    target::mesh_for,
};
use tonic::{Request, Status};

/// Says hello to a service, and counts who answered.
#[derive(Debug, Parser)]
struct Args {
    /// Whom to call: `xds:///greeter`, `dns:///host:port`, `ipv4:1.2.3.4:80`, `unix:/path`.
    /// For xds, GRPC_XDS_BOOTSTRAP names the bootstrap file.
    target: String,
    /// How many calls to make.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// Wait for an endpoint where a call would fail at once.
    #[arg(long)]
    wait_for_ready: bool,
    /// How long a call may take, in milliseconds.
    #[arg(long, default_value_t = 5_000)]
    timeout_ms: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let mut stop = std::pin::pin!(stop::requested()?);
    let mesh = mesh_for(&args.target)?;
    let channel = mesh
        .channel(&args.target)?
        .wait_for_ready(args.wait_for_ready);
    let mut client = GreeterClient::new(channel);

    let mut tally = Tally::default();
    for made in 0..args.count {
        let mut request = Request::new(HelloRequest {
            name: "mesh".to_owned(),
        });
        request.set_timeout(Duration::from_millis(args.timeout_ms));
        let reply = tokio::select! {
            reply = client.say_hello(request) => reply,
            () = &mut stop => {
                eprintln!("stopped after {made} of {} calls", args.count);
                break;
            }
        };
        tally.add(
            reply
                .map(|reply| reply.into_inner().message)
                .map_err(described),
        );
    }

    Ok(tally.finish())
}

fn described(status: Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}
