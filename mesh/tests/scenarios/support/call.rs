//! A call through the mesh, whatever it goes over.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use mesh::{CallerDeadline, HttpClient, MeshChannel, WaitForReady};
use mesh_core::ErrorKind;
use mesh_testkit::{
    echo::EchoReport,
    generated::mesh::test::v1::{EchoRequest, echo_client::EchoClient},
};
use tonic::{Code, Status, metadata::MetadataKey};

/// The authority of calls that name none.
pub(crate) const HOST: &str = "shop.test";

/// What is asked. Over gRPC the path is that of the echo service's unary call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    host: String,
    path: String,
    headers: Vec<(String, String)>,
    timeout: Option<Duration>,
    wait_for_ready: Option<bool>,
}

impl Call {
    pub(crate) fn new() -> Self {
        Self {
            host: HOST.to_owned(),
            path: "/orders?since=monday".to_owned(),
            headers: Vec::new(),
            timeout: None,
            wait_for_ready: None,
        }
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    pub(crate) fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The caller's own deadline.
    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    pub(crate) fn wait_for_ready(mut self) -> Self {
        self.wait_for_ready = Some(true);
        self
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The server's name; empty if no backend answered.
    pub(crate) server: String,
    pub(crate) authority: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
}

/// Why nothing came back.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// What the mesh says it was; `None` where a gRPC server said it.
    pub(crate) kind: Option<ErrorKind>,
    /// Over gRPC.
    pub(crate) code: Option<Code>,
    pub(crate) text: String,
}

impl Failure {
    /// Asserts what it was, over gRPC its code as well, and that the text says all of this.
    #[track_caller]
    pub(crate) fn assert(&self, kind: ErrorKind, code: Code, says: &[&str]) {
        assert_eq!(self.kind, Some(kind), "{self:?}");
        assert!(self.code.is_none_or(|it| it == code), "{self:?}");
        for part in says {
            assert!(self.text.contains(part), "no {part:?} in {self:?}");
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let source = std::error::Error::source(&status);
        let error = source.and_then(|it| it.downcast_ref::<mesh_core::Error>());
        Self {
            kind: error.map(mesh_core::Error::kind),
            code: Some(status.code()),
            text: status.message().to_owned(),
        }
    }
}

impl From<mesh_core::Error> for Failure {
    fn from(error: mesh_core::Error) -> Self {
        Self {
            kind: Some(error.kind()),
            code: None,
            text: error.to_string(),
        }
    }
}

/// What a program holds: a channel or an HTTP client.
#[derive(Clone, Debug)]
pub(crate) enum Client {
    Grpc(MeshChannel),
    Http(HttpClient),
}

impl Client {
    pub(crate) async fn call(&self, call: &Call) -> Result<Reply, Failure> {
        match self {
            Self::Grpc(channel) => Box::pin(unary(channel.clone(), call)).await,
            Self::Http(client) => Box::pin(exchange(client, call)).await,
        }
    }

    pub(crate) async fn ready(&self) {
        let ready = match self {
            Self::Grpc(channel) => channel.ready().await.map_err(Failure::from),
            Self::Http(client) => client.ready().await.map_err(Failure::from),
        };
        ready.expect("a client that is ready");
    }
}

async fn unary(channel: MeshChannel, call: &Call) -> Result<Reply, Failure> {
    let origin = format!("http://{}", call.host).parse().expect("a host");
    let mut request = tonic::Request::new(EchoRequest::default());
    for (name, value) in &call.headers {
        let name = MetadataKey::from_bytes(name.as_bytes()).expect("a key");
        let value = value.parse().expect("a value");
        request.metadata_mut().append(name, value);
    }
    if let Some(timeout) = call.timeout {
        request.set_timeout(timeout);
    }
    if let Some(wait) = call.wait_for_ready {
        request.extensions_mut().insert(WaitForReady(wait));
    }
    let mut client = EchoClient::with_origin(channel, origin);
    let reply = client.unary(request).await?.into_inner();
    Ok(Reply {
        status: 200,
        server: reply.server_id,
        authority: reply.authority,
        path: reply.path,
        headers: reply.headers,
    })
}

async fn exchange(client: &HttpClient, call: &Call) -> Result<Reply, Failure> {
    let mut request = Request::get(format!("http://{}{}", call.host, call.path));
    for (name, value) in &call.headers {
        request = request.header(name, value);
    }
    if let Some(timeout) = call.timeout {
        request = request.extension(CallerDeadline(timeout));
    }
    if let Some(wait) = call.wait_for_ready {
        request = request.extension(WaitForReady(wait));
    }
    let request = request.body(Full::<Bytes>::default()).expect("a request");
    let response = client.send(request).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    // An answer of the mesh itself is no report.
    let report = serde_json::from_slice::<EchoReport>(&body).ok();
    let mut reply = Reply {
        status,
        server: String::new(),
        authority: String::new(),
        path: String::new(),
        headers: BTreeMap::new(),
    };
    if let Some(report) = report {
        let first = |(name, values): (String, Vec<String>)| (name, values.concat());
        reply.headers = report.headers.into_iter().map(first).collect();
        reply.server = report.server_id;
        reply.authority = report.authority;
        reply.path = report.path;
    }
    Ok(reply)
}
