//! What you learn: a gRPC server needs nothing of the mesh. This is a generated tonic service on
//! hyper; the mesh is on the side of those who call.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Parser;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use mesh_examples::{
    generated::helloworld::{
        HelloReply, HelloRequest,
        greeter_server::{Greeter, GreeterServer},
    },
    stop,
};
use tokio::net::TcpListener;
use tonic::{Request, Response, Status};

/// Says hello.
#[derive(Debug, Parser)]
struct Args {
    /// Where to listen; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Who says hello.
    #[arg(long, default_value = "v1")]
    name: String,
}

struct Named(String);

#[tonic::async_trait]
impl Greeter for Named {
    async fn say_hello(
        &self,
        request: Request<HelloRequest>,
    ) -> Result<Response<HelloReply>, Status> {
        let message = format!("hello {}, this is {}", request.get_ref().name, self.0);
        Ok(Response::new(HelloReply { message }))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Args { listen, name } = Args::parse();
    let mut stop = std::pin::pin!(stop::requested()?);
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    println!("listening on {}", listener.local_addr()?);

    let service = TowerToHyperService::new(GreeterServer::new(Named(name)));
    let http = auto::Builder::new(TokioExecutor::new()).http2_only();
    let open = GracefulShutdown::new();
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        // A client that goes away before it was accepted ends nothing but itself.
        let Ok((socket, _)) = socket else { continue };
        socket.set_nodelay(true).ok();
        let connection = http.serve_connection(TokioIo::new(socket), service.clone());
        let connection = open.watch(connection.into_owned());
        // A client that goes away in the middle is its own affair.
        tokio::spawn(async move { connection.await.ok() });
    }
    // Calls under way are answered; clients are told to go elsewhere (GOAWAY).
    open.shutdown().await;
    Ok(())
}
