//! A service mesh inside the program: xDS-driven calls for tonic and hyper.
//!
//! [`Mesh`] reads a gRPC bootstrap, follows a control plane, and hands out channels for generated
//! gRPC clients ([`Mesh::channel`]) and clients for plain HTTP ([`Mesh::http_client`]).
//!
//! ```
//! use http_body_util::Empty;
//! use mesh::Mesh;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = mesh_testkit::EchoServer::http1().start();
//! # let shop = &format!("ipv4:{}", server.socket());
//! // For targets of a control plane, such as `xds:///shop`: `Mesh::from_env()?.spawn()?`.
//! let mesh = Mesh::builder().spawn()?;
//! let client = mesh.http_client(shop)?;
//! let request = http::Request::get("http://shop.test/orders").body(Empty::new())?;
//! let response = client.send(request).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! | to | see |
//! |---|---|
//! | bound a call, or let it wait for an endpoint | [`CallerDeadline`], [`WaitForReady`] |
//! | wait until calls can be made | [`MeshChannel::ready`], [`HttpClient::ready`] |
//! | read why a call failed | [`RequestError`], [`ErrorKind`]; of a channel, its `tonic::Status` |
//! | see what the control plane said | [`Mesh::status`] |
//! | see what requests meet | [`HttpClient::inspect`] |
//! | let requests in by a socket | [`listen`] |
//! | count and trace calls, show a page to Prometheus | [`MeshBuilder::observer`], [`telemetry`] |
//! | add HTTP filters of one's own | [`MeshBuilder::filters`], [`filter`] |
//! | use retries, timeouts or balancing alone | [`mesh_tower::layers`] |
//! | understand the whole | the [manual](mesh_core::manual) |

mod builder;
mod clients;
mod error;
mod mesh;
mod plane;

pub use mesh_core::{
    Error as RequestError, ErrorKind,
    config::Dialect,
    filter, observe,
    runtime::Registry,
    target::{TargetError, TargetUri},
};
/// Numbers for the `metrics` facade, a page for Prometheus, spans for `tracing`.
pub use mesh_telemetry as telemetry;
pub use mesh_tonic::{ChannelBody, MeshChannel};
pub use mesh_tower::{
    CallerDeadline, GuardedBody, HttpClient, InspectedCluster, Inspection, LiveCluster,
    WaitForReady, listen,
};
pub use mesh_xds_client::{Bootstrap, BootstrapError, XdsStatus, protocol::Variant};

pub use self::{builder::MeshBuilder, error::Error, mesh::Mesh};

/// The README's code, compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
