//! Calls through the mesh, and what becomes of them.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use mesh::{HttpClient, MeshChannel};
use mesh_testkit::generated::mesh::test::v1::{EchoRequest, echo_client::EchoClient};
use tokio::{sync::watch, task::JoinHandle};

use crate::peers::PATIENCE;

/// The time between two calls of a [`Load`]: many calls see each change, and the machine keeps room.
const PACE: Duration = Duration::from_millis(2);

/// One of the two ways to call through the mesh.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// A generated client on a channel.
    Grpc(MeshChannel),
    /// The same call as plain HTTP/2.
    Http(HttpClient),
}

impl Caller {
    /// Calls once; gives who answered, or what went wrong.
    pub(crate) async fn call(&self) -> Result<String, String> {
        let call = async {
            match self {
                Self::Grpc(channel) => by_channel(channel.clone()).await,
                Self::Http(client) => by_http(client).await,
            }
        };
        match tokio::time::timeout(PATIENCE, call).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("no answer within {PATIENCE:?}")),
        }
    }

    /// Calls this often, one after another; gives how often each server answered.
    pub(crate) async fn calls(&self, count: u32) -> BTreeMap<String, u32> {
        let mut by_server = BTreeMap::new();
        for _ in 0..count {
            match self.call().await {
                Ok(server) => *by_server.entry(server).or_default() += 1,
                Err(why) => panic!("a call failed: {why}"),
            }
        }
        by_server
    }

    /// Calls until twenty in a row were answered by just this server.
    pub(crate) async fn until_all_to(&self, server: &str) {
        until(&format!("all calls go to {server}"), async || {
            let seen = self.calls(20).await;
            (seen.len() == 1 && seen.contains_key(server))
                .then_some(())
                .ok_or(seen)
        })
        .await;
    }
}

async fn by_channel(channel: MeshChannel) -> Result<String, String> {
    let reply = EchoClient::new(channel).unary(EchoRequest::default()).await;
    match reply {
        Ok(reply) => Ok(reply.into_inner().server_id),
        Err(status) => Err(format!("{:?}: {}", status.code(), status.message())),
    }
}

async fn by_http(client: &HttpClient) -> Result<String, String> {
    // An empty message: not compressed, no bytes.
    let message = Full::new(Bytes::from_static(&[0; 5]));
    let request = Request::post("http://greeter/mesh.test.v1.Echo/Unary")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(message)
        .map_err(|error| error.to_string())?;
    let response = client
        .send(request)
        .await
        .map_err(|error| error.to_string())?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?;
    let trailers = body.trailers().unwrap_or(&head.headers);
    let text = |name: &str| trailers.get(name).and_then(|value| value.to_str().ok());
    match (text("grpc-status"), text("server-id")) {
        (Some("0"), Some(server)) => Ok(server.to_owned()),
        _ => Err(format!("{}: {:?}, {trailers:?}", head.status, head.headers)),
    }
}

/// Calls that go on while other things happen.
#[derive(Debug)]
pub(crate) struct Load {
    stop: watch::Sender<bool>,
    calls: JoinHandle<Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    answered: u32,
    failures: Vec<String>,
}

impl Load {
    pub(crate) fn start(caller: Caller) -> Self {
        let (stop, stopped) = watch::channel(false);
        let calls = tokio::spawn(async move {
            let mut tally = Tally::default();
            let mut pace = tokio::time::interval(PACE);
            while !*stopped.borrow() {
                pace.tick().await;
                match caller.call().await {
                    Ok(_) => tally.answered += 1,
                    Err(why) => tally.failures.push(why),
                }
            }
            tally
        });
        Self { stop, calls }
    }

    /// Ends the calls, none of which may have failed.
    pub(crate) async fn finish(self) {
        self.stop.send_replace(true);
        let tally = self.calls.await.unwrap();
        assert!(tally.answered > 0, "no call was made");
        assert!(tally.failures.is_empty(), "{tally:?}");
    }
}

/// Repeats a check until it holds. Each check waits for an answer of its own.
pub(crate) async fn until<T, E: fmt::Debug>(
    what: &str,
    mut check: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match check().await {
            Ok(value) => return value,
            Err(seen) if Instant::now() > deadline => panic!("not seen: {what}; last: {seen:?}"),
            Err(_) => tokio::task::yield_now().await,
        }
    }
}
