//! What you learn: a generated gRPC client takes a channel of the mesh as it takes tonic's. Where the
//! calls go is the control plane's decision, or with `ipv4:`, `dns:` and `unix:` targets the target's.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Parser;
use mesh_examples::{
    generated::helloworld::{HelloRequest, greeter_client::GreeterClient},
    stop,
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
    let mesh = mesh_for(&args.target)?;
    let channel = mesh
        .channel(&args.target)?
        .wait_for_ready(args.wait_for_ready);
    let mut client = GreeterClient::new(channel);

    let mut replies = BTreeMap::<String, u32>::new();
    let mut failures = BTreeMap::<String, u32>::new();
    let mut stop = std::pin::pin!(stop::requested());
    for _ in 0..args.count {
        let mut request = Request::new(HelloRequest {
            name: "mesh".to_owned(),
        });
        request.set_timeout(Duration::from_millis(args.timeout_ms));
        let reply = tokio::select! {
            reply = client.say_hello(request) => reply,
            asked = &mut stop => {
                asked.context("cannot listen for signals")?;
                break;
            }
        };
        match reply {
            Ok(reply) => *replies.entry(reply.into_inner().message).or_default() += 1,
            Err(status) => *failures.entry(described(&status)).or_default() += 1,
        }
    }

    for (message, count) in &replies {
        println!("{count:>6}  {message}");
    }
    for (failure, count) in &failures {
        eprintln!("{count:>6}  {failure}");
    }
    Ok(if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn described(status: &Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}
