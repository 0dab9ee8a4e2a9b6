//! The part of the xDS API that the mesh speaks: Envoy's v3 messages, ORCA load reports and
//! `TypedStruct`, generated and pruned.
//!
//! Modules follow the protobuf packages: `envoy.config.cluster.v3.Cluster` is
//! [`envoy::config::cluster::v3::Cluster`]. Comments are left out; the upstream documentation is at
//! <https://www.envoyproxy.io/docs/envoy/latest/api-v3/api>. Deprecation marks are left out too,
//! since a client has to read a field for as long as control planes send it.
//!
//! `google.protobuf.Any` is our own [`Any`], whose value shares the buffer that it was decoded from.
//! Every generated message implements [`TypeUrl`], which is what [`Any::pack`] and [`Any::unpack`]
//! ask of it.
//!
//! Feature `grpc` adds client and server stubs for ADS, LRS and CSDS.

mod any;
mod generated;
mod type_url;
mod well_known;

pub use any::{Any, UnpackError};
pub use generated::{envoy, google, udpa, xds};
pub use type_url::TypeUrl;
