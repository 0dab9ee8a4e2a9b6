//! Resources: from the protobuf messages of a control plane to the mesh's configuration, with every
//! error and every unused field named.
//!
//! [`decode`] reads one resource in a [`Dialect`](mesh_core::config::Dialect). It never panics,
//! whatever the bytes, and reports all errors of a resource at once. Fields that are accepted but
//! have no effect come back as warnings.

mod address;
mod at;
mod cluster;
mod endpoints;
mod filter;
mod kind;
mod listener;
mod matcher;
mod options;
mod reader;
mod references;
mod route;
mod unsupported;

use std::{fmt, sync::Arc};

use mesh_core::config::{ClusterConfig, ConfigError, ConfigErrors, EndpointsConfig, FieldPath};
use mesh_proto::{
    Any, TypeUrl,
    envoy::{
        config::{
            cluster::v3::Cluster, endpoint::v3::ClusterLoadAssignment, listener::v3::Listener,
            route::v3::RouteConfiguration,
        },
        service::discovery::v3::Resource as Wrapper,
    },
};

pub use kind::ResourceType;
pub use listener::{ListenerResource, RouteSource};
pub use options::DecodeOptions;
pub use references::References;
pub use route::RouteConfigResource;

use at::At;
use reader::Reader;
use route::parts::{self, Hosts};

/// A resource, decoded and valid.
#[derive(Clone, Debug, PartialEq)]
pub enum Resource {
    /// A Listener.
    Listener(Arc<ListenerResource>),
    /// A RouteConfiguration.
    RouteConfig(Arc<RouteConfigResource>),
    /// A Cluster.
    Cluster(Arc<ClusterConfig>),
    /// A ClusterLoadAssignment.
    Endpoints(Arc<EndpointsConfig>),
}

/// What [`decode`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The resource's own name.
    pub name: String,
    /// The resource.
    pub resource: Resource,
    /// Fields that are set but have no effect here, at most [`ConfigErrors::MAX`].
    pub warnings: Vec<ConfigError>,
}

/// Why a resource is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The resource's name; `None` when the message is too broken to have one.
    pub name: Option<String>,
    /// Everything that is wrong with it.
    pub errors: ConfigErrors,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}: {}", self.errors),
            None => self.errors.fmt(f),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Reads one resource of a response of type `kind`: bare, or in a
/// `envoy.service.discovery.v3.Resource` (gRFC A46; both are found in one response).
///
/// # Errors
/// A nameless one if the message is of another type or does not decode; otherwise every reason for
/// which the resource must be refused, each with the path of its field.
pub fn decode(
    kind: ResourceType,
    resource: &Any,
    options: &DecodeOptions,
) -> Result<Decoded, DecodeError> {
    let (name, any) = unwrap(resource)?;
    match kind {
        ResourceType::Listener => read(name, &any, options, listener::read),
        ResourceType::RouteConfig => read_routes(name, &any, options),
        ResourceType::Cluster => read(name, &any, options, cluster::read),
        ResourceType::Endpoints => read(name, &any, options, endpoints::read),
    }
}

/// The name on the wrapper, if there is one, and the resource inside.
fn unwrap(resource: &Any) -> Result<(Option<String>, Any), DecodeError> {
    if !resource.is::<Wrapper>() {
        return Ok((None, resource.clone()));
    }
    let wrapper: Wrapper = resource
        .unpack()
        .map_err(|error| nameless(&reader::unpack_reason(&error)))?;
    let name = Some(wrapper.name).filter(|name| !name.is_empty());
    match wrapper.resource {
        Some(inner) => Ok((name, inner)),
        None => Err(DecodeError {
            name,
            errors: ConfigError::new(&FieldPath::root().field("resource"), "is missing").into(),
        }),
    }
}

/// A top-level message of xDS.
trait Named: TypeUrl {
    /// The field that names it, and the name.
    fn name(&self) -> (&'static str, &str);
}

impl Named for Listener {
    fn name(&self) -> (&'static str, &str) {
        ("name", &self.name)
    }
}

impl Named for RouteConfiguration {
    fn name(&self) -> (&'static str, &str) {
        ("name", &self.name)
    }
}

impl Named for Cluster {
    fn name(&self) -> (&'static str, &str) {
        ("name", &self.name)
    }
}

impl Named for ClusterLoadAssignment {
    fn name(&self) -> (&'static str, &str) {
        ("cluster_name", &self.cluster_name)
    }
}

fn read<M: Named>(
    wrapper_name: Option<String>,
    any: &Any,
    options: &DecodeOptions,
    read: fn(&mut Reader<'_>, &M) -> Option<Resource>,
) -> Result<Decoded, DecodeError> {
    if !any.is::<M>() {
        return Err(nameless(&format_args!(
            "expected {}, found {}",
            M::TYPE_URL,
            reader::quoted(&any.type_url)
        )));
    }
    let message: M = any.unpack().map_err(|error| DecodeError {
        name: wrapper_name.clone(),
        errors: ConfigError::new(&FieldPath::root(), reader::unpack_reason(&error)).into(),
    })?;
    read_message(wrapper_name, &message, Reader::new(options), read)
}

/// In parts where that can be done.
fn read_routes(
    wrapper_name: Option<String>,
    any: &Any,
    options: &DecodeOptions,
) -> Result<Decoded, DecodeError> {
    if any.is::<RouteConfiguration>()
        && let Ok((message, hosts)) = parts::split(&any.value)
        && !message.name.is_empty()
    {
        let mut malformed = false;
        let read = |reader: &mut Reader<'_>, message: &_| {
            let resource = route::read(reader, message, &hosts);
            malformed = reader.malformed;
            resource
        };
        let decoded = read_message(wrapper_name.clone(), &message, Reader::new(options), read);
        if !malformed {
            return decoded;
        }
    }
    read(wrapper_name, any, options, |reader, message| {
        route::read(reader, message, &Hosts::Decoded(&message.virtual_hosts))
    })
}

fn read_message<M: Named>(
    wrapper_name: Option<String>,
    message: &M,
    mut reader: Reader<'_>,
    read: impl FnOnce(&mut Reader<'_>, &M) -> Option<Resource>,
) -> Result<Decoded, DecodeError> {
    let (field, name) = message.name();
    let resource = if name.is_empty() {
        reader.error(&At::ROOT.field(field), "is empty");
        None
    } else {
        read(&mut reader, message)
    };
    let name = name.to_owned();
    let (errors, warnings) = reader.finish();
    match (errors.is_empty(), resource) {
        (true, Some(resource)) => Ok(Decoded {
            name,
            resource,
            warnings,
        }),
        _ => Err(DecodeError {
            name: Some(name).filter(|name| !name.is_empty()).or(wrapper_name),
            errors,
        }),
    }
}

fn nameless(reason: &impl fmt::Display) -> DecodeError {
    DecodeError {
        name: None,
        errors: ConfigError::new(&FieldPath::root(), reason.to_string()).into(),
    }
}

#[cfg(test)]
mod tests;
