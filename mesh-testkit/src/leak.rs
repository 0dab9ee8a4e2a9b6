//! A check that a scenario leaves nothing behind.

use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

/// How long tasks may take to end after their owners are gone. Reached only by a failing test.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the check looks again.
const PAUSE: Duration = Duration::from_millis(1);

/// Runs a scenario on a runtime of its own, and waits until no task of it is left. A connection
/// lives in a task or in what the scenario returned and dropped, so no socket of it is left then.
///
/// # Panics
/// If tasks are left after 10 s.
pub fn assert_no_tasks_left<F, T>(scenario: impl FnOnce() -> F) -> T
where
    F: Future<Output = T>,
{
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let result = runtime.block_on(async move { scenario().await });
    if let Err(left) = settle(&runtime, PATIENCE) {
        panic!("{left} tasks are left {PATIENCE:?} after the scenario");
    }
    result
}

/// Waits until no task is left; gives their number if some stay.
fn settle(runtime: &Runtime, patience: Duration) -> Result<(), usize> {
    let end = Instant::now() + patience;
    loop {
        // Tasks of this runtime run only while something is being waited for on it.
        runtime.block_on(async { tokio::time::sleep(PAUSE).await });
        match runtime.metrics().num_alive_tasks() {
            0 => return Ok(()),
            left if Instant::now() >= end => return Err(left),
            _ => thread::yield_now(),
        }
    }
}

/// How many sockets this process holds (Linux). Tests of one binary run side by side, so this says
/// something only in a binary with a single test.
///
/// # Panics
/// If the system does not tell.
#[must_use]
pub fn open_sockets() -> usize {
    let entries = std::fs::read_dir("/proc/self/fd").expect("a list of descriptors");
    let links = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    links
        .filter(|link| link.to_string_lossy().starts_with("socket:"))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{CDS, ControlPlane};
    use crate::{CountingListener, EchoServer, GrpcEcho};

    #[test]
    fn tells_of_a_task_that_stays() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            tokio::spawn(std::future::pending::<()>());
        });
        assert_eq!(settle(&runtime, Duration::ZERO), Err(1));
    }

    #[test]
    fn servers_leave_nothing_behind() {
        use mesh_proto::envoy::service::discovery::v3::DiscoveryRequest;
        use mesh_proto::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;

        assert_no_tasks_left(|| async {
            let plane = ControlPlane::start().await;
            let connection = crate::GrpcConnection::open(plane.socket()).await.unwrap();
            let mut client = AggregatedDiscoveryServiceClient::new(connection);
            let request = DiscoveryRequest {
                type_url: CDS.to_owned(),
                ..DiscoveryRequest::default()
            };
            // The stream stays open, and so do a call and a request without an answer.
            let requests = tokio_stream::StreamExt::chain(
                tokio_stream::iter([request]),
                tokio_stream::pending(),
            );
            let stream = client.stream_aggregated_resources(requests).await.unwrap();
            let grpc = GrpcEcho::start("g");
            let connection = crate::GrpcConnection::open(grpc.socket()).await.unwrap();
            grpc.hold();
            let call = tokio::spawn(async move {
                use crate::generated::mesh::test::v1::echo_client::EchoClient;
                let _ = EchoClient::new(connection)
                    .unary(crate::generated::mesh::test::v1::EchoRequest::default())
                    .await;
            });
            grpc.wait_for("the call", |grpc| grpc.in_flight() == 1)
                .await;
            plane
                .wait_for("the request", |plane| plane.request_count(CDS) == 1)
                .await;
            let echo = EchoServer::auto().start();
            let idle = tokio::net::TcpStream::connect(echo.socket()).await.unwrap();
            echo.wait_for("a connection", |echo| echo.open_connections() == 1)
                .await;
            let dying = CountingListener::start();
            drop((plane, grpc, echo, dying));
            drop((stream, client, call, idle));
        });
    }
}
